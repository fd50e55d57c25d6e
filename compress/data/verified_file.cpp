#include "compress/data/verified_file.hpp"

#include <fmt/format.h>

#include "compress/data/gzip.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"

namespace assay {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 30;

}  // namespace

std::filesystem::path find_source_file(const std::filesystem::path& folder,
                                       const SourceFile& file) {
  std::error_code ignored;
  for (const auto& name : {file.name, file.name + ".gz"})
    if (std::filesystem::is_regular_file(folder / name, ignored)) return folder / name;
  return {};
}

Result<std::vector<std::byte>> read_verified(const std::filesystem::path& folder,
                                             const SourceFile& file, std::string_view remedy) {
  const auto path = find_source_file(folder, file);
  if (path.empty())
    return fail(ErrorKind::bad_input,
                fmt::format("{} is missing: {}", (folder / file.name).string(), remedy));
  ASSAY_TRY(auto bytes, read_bytes(path));
  if (path.filename() != file.name) {
    ASSAY_TRY(bytes, unpack_gzip(bytes, largest_file, path.string()));
  }
  Sha256 hash;
  hash.update(std::span<const std::byte>(bytes));
  if (const std::string found = hash.hex(); found != file.sha256)
    return fail(ErrorKind::bad_input,
                fmt::format("{} is damaged or another version: SHA-256 is {}, expected {}; {}",
                            path.string(), found, file.sha256, remedy));
  return bytes;
}

std::string fingerprint_of(const std::vector<SourceFile>& files, std::string_view rule) {
  Sha256 hash;
  for (const SourceFile& file : files)
    hash.update(file.sha256);
  hash.update(rule);
  return hash.hex();
}

}  // namespace assay
