// The stage cache: results of stages under their keys, whole or absent, and the checkpoints of
// stages that were stopped, shared by all matrices of a user. Thread-safe and safe between
// processes: a result appears by rename, with the SHA-256 of its files (result_sums).
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/file.hpp"
#include "harness/core/units.hpp"
#include "harness/plan/stage.hpp"

namespace assay {

/// One cached result, the checkpoints of a stage that was stopped, or unfinished work.
struct CacheEntry {
  std::string kind;  ///< "train", ..., "checkpoints", or "scratch": a result that is being made
  std::string key;
  Bytes size;
  std::chrono::system_clock::time_point last_used;
  bool pinned = false;  ///< never pruned
};

/// A folder of results, `<root>/<kind>/<key>/`, and of checkpoints, `<root>/checkpoints/<key>/`.
class StageCache {
 public:
  explicit StageCache(std::filesystem::path root) : root_(std::move(root)) {}
  const std::filesystem::path& root() const { return root_; }

  /// Where the result of a stage is, or will be.
  std::filesystem::path path(const Stage& stage) const;
  bool has(const Stage& stage) const;
  /// Whether a result that is there has the bytes it was published with. Reads it whole. Errors:
  /// infrastructure, naming the damaged file.
  Status check(const Stage& stage) const;
  /// Notes that a result was used now, for pruning.
  void touch(const Stage& stage) const;
  /// A private folder to produce the result in.
  Result<ScratchDirectory> begin(const Stage& stage) const;
  /// Makes what was produced the result, with the sums that check() asks for, in place of a damaged
  /// one, whose pin it keeps. Errors: infrastructure.
  Status publish(const Stage& stage, ScratchDirectory scratch) const;

  /// The folder in which a stage keeps what it needs to go on after a stop, made if it is not
  /// there. It outlives the run until drop_checkpoints. Errors: infrastructure.
  Result<std::filesystem::path> checkpoints(const Stage& stage) const;
  void drop_checkpoints(const Stage& stage) const;

  std::vector<CacheEntry> entries() const;
  /// Removes results, checkpoints and the unfinished work of killed processes that were not used
  /// since `before`, nor since a run that is still going began, except pinned ones; returns what
  /// was removed.
  std::vector<CacheEntry> prune(std::chrono::system_clock::time_point before, bool dry_run) const;
  /// Pins or unpins every result whose key starts with `key_prefix`; returns how many.
  std::size_t set_pinned(const std::string& key_prefix, bool pinned) const;

 private:
  std::filesystem::path root_;
};

/// Says that a run is going, until destruction or the death of the process: what it makes and
/// counts on is not pruned meanwhile.
class RunMark {
 public:
  /// `since` is when the run looked for what is cached. Errors: infrastructure.
  static Result<RunMark> begin(const StageCache& cache,
                               std::chrono::system_clock::time_point since);
  RunMark(RunMark&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), file_(std::move(other.file_)) {}
  RunMark& operator=(RunMark&&) = delete;
  ~RunMark();

 private:
  RunMark(int descriptor, std::filesystem::path file)
      : descriptor_(descriptor), file_(std::move(file)) {}
  int descriptor_;
  std::filesystem::path file_;
};

/// Keeps two processes from running one stage at the same time; released on destruction and when
/// the process dies.
class StageLock {
 public:
  /// Waits until no other process runs the stage, or until `stop`. Errors: interrupted,
  /// infrastructure.
  static Result<StageLock> acquire(const StageCache& cache, const Stage& stage,
                                   std::stop_token stop);
  StageLock(StageLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  StageLock& operator=(StageLock&&) = delete;
  ~StageLock();

 private:
  explicit StageLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace assay
