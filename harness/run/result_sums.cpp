#include "harness/run/result_sums.hpp"

#include <fmt/format.h>

#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
#include "harness/core/json.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr const char* sums_file = "sums.json";

tl::unexpected<Error> damaged(const fs::path& file, const std::string& reason) {
  return fail(ErrorKind::infrastructure, fmt::format("{} is damaged: {}", file.string(), reason));
}

}  // namespace

Status write_sums(const fs::path& folder) {
  Json sums = Json::object();
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const auto name = entry.path().lexically_relative(folder).generic_string();
    ASSAY_TRY(sums[name], sha256_file(entry.path()));
  }
  return write_atomically(folder / sums_file, sums.dump(2) + "\n");
}

Status check_sums(const fs::path& folder) {
  const auto sums = read_json_file(folder / sums_file);
  if (!sums || !sums->is_object())
    return damaged(folder, sums ? "its sums.json is no object" : sums.error().message);
  for (const auto& [name, sum] : sums->items()) {
    const auto hash = sha256_file(folder / name);
    if (!hash) return damaged(folder / name, hash.error().message);
    if (sum != *hash)
      return damaged(folder / name,
                     fmt::format("its SHA-256 is {}, and sums.json says {}", *hash, sum.dump()));
  }
  return {};
}

}  // namespace assay
