#include "results/database.hpp"

#include <fmt/format.h>
#include <sqlite3/soci-sqlite3.h>

#include "harness/core/json.hpp"

namespace assay {
namespace {

struct KnownFailure {
  int code;  // primary SQLite result code, https://www.sqlite.org/rescode.html
  ErrorKind kind;
  const char* sentence;
};

constexpr KnownFailure known_failures[] = {
    {SQLITE_FULL, ErrorKind::infrastructure,
     "the disk is full; free some space and run again, the records so far are safe"},
    {SQLITE_READONLY, ErrorKind::infrastructure,
     "it is read-only; change its permissions or name another store with --store"},
    {SQLITE_CANTOPEN, ErrorKind::infrastructure,
     "the file cannot be opened or created; check the path and its permissions"},
    {SQLITE_PERM, ErrorKind::infrastructure, "permission denied"},
    {SQLITE_BUSY, ErrorKind::infrastructure,
     "another process has kept it locked for 30 seconds; wait for it to finish or stop it"},
    {SQLITE_LOCKED, ErrorKind::infrastructure, "another query has kept it locked"},
    {SQLITE_IOERR, ErrorKind::infrastructure,
     "reading or writing the file failed; check the disk and its free space"},
    {SQLITE_CORRUPT, ErrorKind::infrastructure,
     "the file is damaged; restore it from a copy, or move it away to start a new one"},
    {SQLITE_NOTADB, ErrorKind::bad_input,
     "the file is not an assay store (not an SQLite database)"},
};

/// SOCI separates its connection parameters by '='; a text without one is the bare path.
Result<std::string> connection_text(const std::filesystem::path& path) {
  const std::string text = path.string();
  if (text.find('=') == std::string::npos) return text;
  if (text.find('"') == std::string::npos) return fmt::format("dbname=\"{}\"", text);
  return fail(
      ErrorKind::bad_input,
      fmt::format("cannot open the results store {}: a path with both '=' and '\"' in it is "
                  "not supported; rename the folder",
                  text));
}

}  // namespace

Error storage_error(const std::exception& problem, const std::filesystem::path& path,
                    std::string_view doing) {
  const std::string what = fmt::format("cannot {} the results store {}: ", doing, path.string());
  if (const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&problem)) {
    for (const auto& known : known_failures)
      if ((sqlite->result() & 0xff) == known.code) return {known.kind, what + known.sentence};
  }
  if (dynamic_cast<const Json::exception*>(&problem))
    return {ErrorKind::bad_input,
            fmt::format("{}a JSON field of a record is not valid ({})", what, problem.what())};
  return {ErrorKind::infrastructure, what + problem.what()};
}

Result<std::unique_ptr<soci::session>> connect(const std::filesystem::path& path) {
  return guarded(path, "open", [&]() -> Result<std::unique_ptr<soci::session>> {
    ASSAY_TRY(const std::string text, connection_text(path));
    auto session = std::make_unique<soci::session>(soci::sqlite3, text);
    *session << "PRAGMA busy_timeout = 30000";
    *session << "PRAGMA synchronous = FULL";
    *session << "PRAGMA foreign_keys = ON";
    return session;
  });
}

WriteTransaction::WriteTransaction(soci::session& session) : session_(session) {
  session_ << "BEGIN IMMEDIATE";
}

WriteTransaction::~WriteTransaction() {
  if (!open_) return;
  try {
    session_ << "ROLLBACK";
  } catch (const std::exception&) {
    // SQLite has rolled back by itself already (a full disk does that).
  }
}

void WriteTransaction::commit() {
  session_ << "COMMIT";
  open_ = false;
}

}  // namespace assay
