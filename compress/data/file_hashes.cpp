#include "compress/data/file_hashes.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>
#include <cstring>
#include <sstream>

#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"

namespace assay {
namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t settled_after = 2 * second;  // coarser than any file system's clock

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

FileHashes::FileHashes(std::filesystem::path index) : index_(std::move(index)) {
  std::istringstream lines(read_text(index_).value_or(""));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Entry entry;
    std::string path;
    if (words >> entry.sha256 >> entry.size >> entry.modified && words.get() == ' ' &&
        std::getline(words, path))
      known_[path] = entry;
  }
}

Result<std::string> FileHashes::hash(const std::filesystem::path& file) {
  const std::string path = std::filesystem::absolute(file).lexically_normal().string();
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0)
    return fail(ErrorKind::bad_input,
                fmt::format("cannot read {}: {}", file.string(), std::strerror(errno)));
  Entry entry{std::uintmax_t(found.st_size),
              std::int64_t{found.st_mtim.tv_sec} * second + found.st_mtim.tv_nsec, ""};
  const auto known = known_.find(path);
  if (known != known_.end() && known->second.size == entry.size &&
      known->second.modified == entry.modified) {
    used_.insert(*known);
    return known->second.sha256;
  }
  ASSAY_TRY(entry.sha256, sha256_file(file));
  if (now() - entry.modified >= settled_after) {
    used_[path] = entry;
    changed_ = true;
  }
  return entry.sha256;
}

Status FileHashes::save() const {
  if (!changed_) return {};
  std::string text;
  for (const auto& [path, entry] : used_)
    text += fmt::format("{} {} {} {}\n", entry.sha256, entry.size, entry.modified, path);
  return write_atomically(index_, text);
}

}  // namespace assay
