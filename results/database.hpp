// One SQLite connection through SOCI, with its exceptions turned into errors that name the file.
// Private to results/. Not thread-safe.
#pragma once

#include <soci.h>

#include <exception>
#include <filesystem>
#include <functional>
#include <memory>

#include "harness/core/result.hpp"

namespace assay {

/// Opens a connection: writers wait up to 30 s for each other, a commit reaches the disk. Errors:
/// infrastructure.
Result<std::unique_ptr<soci::session>> connect(const std::filesystem::path& path);

/// The error for an exception that SOCI, or JSON text in a row, threw while `doing` ("read from")
/// something with the store at `path`.
Error storage_error(const std::exception& problem, const std::filesystem::path& path,
                    std::string_view doing);

/// Runs `work`, which returns a Result, and turns an exception into its error.
template <class Work>
auto guarded(const std::filesystem::path& path, std::string_view doing, Work work)
    -> decltype(work()) {
  try {
    return work();
  } catch (const std::exception& problem) {
    return tl::unexpected(storage_error(problem, path, doing));
  }
}

/// A write transaction that takes the write lock at once, so that two writers never deadlock on an
/// upgrade; rolled back unless committed. SOCI's own begins deferred.
class WriteTransaction {
 public:
  explicit WriteTransaction(soci::session& session);
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;
  ~WriteTransaction();
  void commit();

 private:
  soci::session& session_;
  bool open_ = true;
};

}  // namespace assay
