// The one process runner. Arguments are a vector, never a shell line; a child dies with the thread
// that started it (PR_SET_PDEATHSIG); children get their own process group, so Ctrl-C reaches assay
// alone and assay stops them in order: SIGTERM, then SIGKILL after a grace period.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/result.hpp"

namespace assay {

/// What to start.
struct ProcessSpec {
  std::vector<std::string> arguments;              ///< argv; [0] is looked up in PATH
  std::map<std::string, std::string> environment;  ///< added to, or replacing in, our own
  std::filesystem::path working_directory;         ///< empty: ours
  std::string input;                               ///< written to standard input, then closed
  std::optional<std::chrono::milliseconds> deadline;
  std::function<void(std::string_view line)> on_output_line;  ///< each full line of stdout, live
};

/// How it ended.
struct ProcessOutcome {
  int exit_code = 0;       ///< 128 + signal when it was killed by one
  bool timed_out = false;  ///< the deadline passed and it was stopped
  bool cancelled = false;  ///< the stop token fired and it was stopped
  std::string output;      ///< all of standard output
  std::string errors;      ///< all of standard error
};

/// Runs a program to its end. Errors: infrastructure when the program cannot be started (the
/// message names it: "openocd is not installed ..." is the caller's to word). A non-zero exit is an
/// outcome, not an error. Thread-safe.
Result<ProcessOutcome> run_process(const ProcessSpec& spec, std::stop_token stop = {});

/// A program found in PATH, or nothing.
std::optional<std::filesystem::path> find_program(std::string_view name);

/// A long-lived child with pipes on its standard input and output; standard error is inherited, or
/// goes to `errors_to` when given. Stopped (SIGTERM, then SIGKILL) and reaped on destruction.
class ChildProcess {
 public:
  static Result<ChildProcess> start(const ProcessSpec& spec,
                                    const std::filesystem::path& errors_to = {});
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();
  int input() const { return input_; }    ///< write end of the child's standard input
  int output() const { return output_; }  ///< read end of the child's standard output
  pid_t pid() const { return pid_; }
  bool running();
  /// Stops it now. Returns its exit code (128 + signal when killed by one).
  int stop(std::chrono::milliseconds grace = std::chrono::milliseconds(500));

 private:
  ChildProcess() = default;
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::optional<int> exit_code_;
};

}  // namespace assay
