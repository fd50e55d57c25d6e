#include "harness/run/cache.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

#include <fmt/format.h>

#include "harness/run/result_sums.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr const char* scratch_folder = "scratch";
constexpr const char* lock_folder = "locks";
constexpr const char* checkpoint_folder = "checkpoints";
constexpr const char* pin_file = ".pinned";
constexpr const char* run_prefix = "run-";

/// Files that a running stage removes meanwhile count nothing.
Bytes size_of(const fs::path& folder) {
  Bytes total;
  std::error_code gone;
  for (fs::recursive_directory_iterator entry(folder, gone), end; !gone && entry != end;
       entry.increment(gone)) {
    std::error_code none;
    if (const auto size = entry->file_size(none); !none) total += Bytes(size);
  }
  return total;
}

std::chrono::system_clock::time_point last_use(const fs::path& folder) {
  struct stat info {};
  ::stat(folder.c_str(), &info);
  return std::chrono::system_clock::from_time_t(info.st_mtime);
}

/// When the oldest run began that is still going; its mark is locked until its process ends.
std::chrono::system_clock::time_point oldest_run(const fs::path& locks) {
  auto oldest = std::chrono::system_clock::time_point::max();
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(locks, none)) {
    if (!entry.path().filename().string().starts_with(run_prefix)) continue;
    const int descriptor = ::open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor < 0) continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0)
      fs::remove(entry.path(), none);  // of a killed process
    else
      oldest = std::min(oldest, last_use(entry.path()));
    ::close(descriptor);
  }
  return oldest;
}

/// Renames first: a result is there whole or not at all, also while it is being removed. Says
/// whether it is gone.
bool remove_whole(const fs::path& root, const fs::path& result) {
  const auto doomed = root / scratch_folder / ("removed-" + result.filename().string());
  std::error_code code;
  fs::create_directories(doomed.parent_path(), code);
  fs::rename(result, doomed, code);
  if (code) return false;
  fs::remove_all(doomed, code);
  return true;
}

}  // namespace

fs::path StageCache::path(const Stage& stage) const {
  return root_ / to_string(stage.kind) / stage.key;
}

bool StageCache::has(const Stage& stage) const {
  std::error_code unreadable;  // is absent, and what then writes there says why
  return fs::exists(path(stage), unreadable);
}

void StageCache::touch(const Stage& stage) const {
  ::utimensat(AT_FDCWD, path(stage).c_str(), nullptr, 0);
}

Status StageCache::check(const Stage& stage) const {
  return check_sums(path(stage));
}

Result<ScratchDirectory> StageCache::begin(const Stage& stage) const {
  return ScratchDirectory::create(
      root_ / scratch_folder,
      fmt::format("{}-{}-", to_string(stage.kind), stage.key.substr(0, 12)));
}

Status StageCache::publish(const Stage& stage, ScratchDirectory scratch) const {
  ASSAY_CHECK(write_sums(scratch.path()));
  const auto place = path(stage);
  std::error_code none;  // what cannot be moved away is kept, as for a faster process
  if (fs::exists(place, none)) {
    if (fs::exists(place / pin_file, none)) std::ofstream(scratch.path() / pin_file).flush();
    remove_whole(root_, place);
  }
  return std::move(scratch).publish(place);
}

Result<fs::path> StageCache::checkpoints(const Stage& stage) const {
  const auto folder = root_ / checkpoint_folder / stage.key;
  std::error_code code;
  fs::create_directories(folder, code);
  if (!code) {
    ::utimensat(AT_FDCWD, folder.c_str(), nullptr, 0);  // what is gone on from is used
    return folder;
  }
  return fail(ErrorKind::infrastructure,
              fmt::format("cannot create {}: {}", folder.string(), code.message()));
}

void StageCache::drop_checkpoints(const Stage& stage) const {
  std::error_code none;  // what stays behind costs room, and prune finds it
  fs::remove_all(root_ / checkpoint_folder / stage.key, none);
}

std::vector<CacheEntry> StageCache::entries() const {
  std::vector<CacheEntry> found;
  std::error_code none;
  for (const auto& kind : fs::directory_iterator(root_, none)) {
    const auto name = kind.path().filename().string();
    if (!kind.is_directory() || name == lock_folder) continue;
    for (const auto& result : fs::directory_iterator(kind))
      found.push_back({name, result.path().filename().string(), size_of(result.path()),
                       last_use(result.path()), fs::exists(result.path() / pin_file)});
  }
  return found;
}

std::vector<CacheEntry> StageCache::prune(std::chrono::system_clock::time_point before,
                                          bool dry_run) const {
  before = std::min(before, oldest_run(root_ / lock_folder));
  std::vector<CacheEntry> removed;
  for (auto& entry : entries()) {
    if (entry.pinned || entry.last_used >= before) continue;
    if (!dry_run && !remove_whole(root_, root_ / entry.kind / entry.key)) continue;
    removed.push_back(std::move(entry));
  }
  return removed;
}

std::size_t StageCache::set_pinned(const std::string& key_prefix, bool pinned) const {
  std::size_t count = 0;
  for (const auto& entry : entries()) {
    if (!entry.key.starts_with(key_prefix) || entry.kind == checkpoint_folder ||
        entry.kind == scratch_folder)
      continue;
    const auto file = root_ / entry.kind / entry.key / pin_file;
    std::error_code code;
    if (pinned)
      std::ofstream(file).flush();
    else
      fs::remove(file, code);
    ++count;
  }
  return count;
}

Result<RunMark> RunMark::begin(const StageCache& cache,
                               std::chrono::system_clock::time_point since) {
  const auto folder = cache.root() / lock_folder;
  std::error_code code;
  fs::create_directories(folder, code);
  std::string name = (folder / (std::string(run_prefix) + "XXXXXX")).string();
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  const auto time = std::chrono::system_clock::to_time_t(since);
  const timespec times[2]{{time, 0}, {time, 0}};
  if (descriptor < 0 || ::flock(descriptor, LOCK_EX) != 0 || ::futimens(descriptor, times) != 0)
    return fail(ErrorKind::infrastructure,
                fmt::format("cannot lock {}: {}", name, std::strerror(errno)));
  return RunMark(descriptor, name);
}

RunMark::~RunMark() {
  if (descriptor_ < 0) return;
  std::error_code none;
  fs::remove(file_, none);
  ::close(descriptor_);
}

Result<StageLock> StageLock::acquire(const StageCache& cache, const Stage& stage,
                                     std::stop_token stop) {
  const auto folder = cache.root() / lock_folder;
  std::error_code code;
  fs::create_directories(folder, code);
  const auto file = folder / (stage.key + ".lock");
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0)
    return fail(ErrorKind::infrastructure,
                fmt::format("cannot lock {}: {}", file.string(), std::strerror(errno)));
  StageLock lock(descriptor);
  while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (stop.stop_requested()) return fail(ErrorKind::interrupted, "interrupted");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return lock;
}

StageLock::~StageLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace assay
