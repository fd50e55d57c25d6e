#include "harness/core/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>

#include <fmt/format.h>

#include "harness/core/clock.hpp"

extern char** environ;

namespace assay {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds poll_interval{50};
constexpr milliseconds terminate_grace{2000};

void close_if_open(int& descriptor) {
  if (descriptor >= 0) ::close(std::exchange(descriptor, -1));
}

/// Both ends of a pipe, close-on-exec.
struct Pipe {
  int read = -1;
  int write = -1;
  ~Pipe() {
    close_if_open(read);
    close_if_open(write);
  }
  bool open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    read = ends[0];
    write = ends[1];
    return true;
  }
};

/// What execve wants, built before fork: nothing may be allocated in the child, where another
/// thread's lock on the heap would never be released.
struct ExecArguments {
  ExecArguments(std::string path, const ProcessSpec& spec)
      : program(std::move(path)), arguments(spec.arguments) {
    for (auto& argument : arguments)
      argv.push_back(argument.data());
    argv.push_back(nullptr);
    for (char** entry = environ; *entry; ++entry) {
      std::string_view text(*entry);
      if (!spec.environment.contains(std::string(text.substr(0, text.find('=')))))
        variables.emplace_back(text);
    }
    for (const auto& [name, value] : spec.environment)
      variables.push_back(name + "=" + value);
    for (auto& variable : variables)
      envp.push_back(variable.data());
    envp.push_back(nullptr);
  }
  std::string program;
  std::vector<std::string> arguments, variables;
  std::vector<char*> argv, envp;
};

/// What the child process is connected to; -1 leaves ours.
struct Streams {
  int input = -1;
  int output = -1;
  int errors = -1;
};

[[noreturn]] void become(const ExecArguments& exec, const std::filesystem::path& directory,
                         Streams streams, int report) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int signal : {SIGINT, SIGTERM, SIGPIPE})
    ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (streams.input >= 0) ::dup2(streams.input, 0);
  if (streams.output >= 0) ::dup2(streams.output, 1);
  if (streams.errors >= 0) ::dup2(streams.errors, 2);
  if (directory.empty() || ::chdir(directory.c_str()) == 0)
    ::execve(exec.program.c_str(), exec.argv.data(), exec.envp.data());
  const int reason = errno;
  [[maybe_unused]] const auto written = ::write(report, &reason, sizeof reason);
  ::_exit(127);
}

/// Forks and executes; the child's exec error, if any, comes back through a pipe.
Result<pid_t> spawn(const ProcessSpec& spec, Streams streams) {
  const auto& name = spec.arguments.at(0);
  const auto program = find_program(name);
  if (!program)
    return fail(ErrorKind::infrastructure, fmt::format("{} is not installed or not in PATH", name));
  const ExecArguments exec(program->string(), spec);
  Pipe report;
  if (!report.open())
    return fail(ErrorKind::infrastructure,
                fmt::format("cannot start {}: too many open files", name));
  const pid_t pid = ::fork();
  if (pid == 0) become(exec, spec.working_directory, streams, report.write);
  if (pid < 0)
    return fail(ErrorKind::infrastructure,
                fmt::format("cannot start {}: {}", name, std::strerror(errno)));
  close_if_open(report.write);
  int reason = 0;
  if (::read(report.read, &reason, sizeof reason) == sizeof reason) {
    ::waitpid(pid, nullptr, 0);
    return fail(ErrorKind::infrastructure,
                fmt::format("cannot start {}: {}", name, std::strerror(reason)));
  }
  return pid;
}

int exit_code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Reaps `pid` if it has ended.
std::optional<int> reap(pid_t pid) {
  int status = 0;
  const pid_t ended = ::waitpid(pid, &status, WNOHANG);
  if (ended == pid) return exit_code_of(status);
  return std::nullopt;
}

/// SIGTERM to the child's process group, SIGKILL when it is still there after `grace`.
int terminate(pid_t pid, milliseconds grace) {
  ::kill(-pid, SIGTERM);
  for (Deadline deadline(grace); !deadline.passed(); std::this_thread::sleep_for(milliseconds(5)))
    if (auto code = reap(pid)) return *code;
  ::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return exit_code_of(status);
}

/// Collects what a running child writes and feeds its input.
class Conversation {
 public:
  Conversation(const ProcessSpec& spec, ProcessOutcome& outcome) : spec_(spec), outcome_(outcome) {}
  Pipe input, output, errors;

  bool open() { return input.open() && output.open() && errors.open(); }
  Streams child_side() const { return {input.read, output.write, errors.write}; }
  void after_spawn() {
    close_if_open(input.read);
    close_if_open(output.write);
    close_if_open(errors.write);
    ::fcntl(input.write, F_SETFL, O_NONBLOCK);
    if (spec_.input.empty()) close_if_open(input.write);
  }
  bool finished() const { return output.read < 0 && errors.read < 0; }

  void exchange(milliseconds wait) {
    std::array<pollfd, 3> polled{
        {{output.read, POLLIN, 0}, {errors.read, POLLIN, 0}, {input.write, POLLOUT, 0}}};
    if (::poll(polled.data(), polled.size(), static_cast<int>(wait.count())) <= 0) return;
    if (polled[0].revents) take(output.read, outcome_.output, true);
    if (polled[1].revents) take(errors.read, outcome_.errors, false);
    if (polled[2].revents) give();
  }

 private:
  void take(int& from, std::string& to, bool lines) {
    char buffer[16384];
    const auto count = ::read(from, buffer, sizeof buffer);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count > 0) to.append(buffer, static_cast<std::size_t>(count));
    if (lines && spec_.on_output_line) emit_lines(to, count <= 0);
    if (count <= 0) close_if_open(from);
  }
  void emit_lines(const std::string& text, bool ended) {
    for (auto end = text.find('\n', line_start_); end != std::string::npos;
         end = text.find('\n', line_start_)) {
      spec_.on_output_line(std::string_view(text).substr(line_start_, end - line_start_));
      line_start_ = end + 1;
    }
    if (ended && line_start_ < text.size()) spec_.on_output_line(text.substr(line_start_));
  }
  void give() {
    const auto count =
        ::write(input.write, spec_.input.data() + given_, spec_.input.size() - given_);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count > 0) given_ += static_cast<std::size_t>(count);
    if (count <= 0 || given_ == spec_.input.size()) close_if_open(input.write);
  }

  const ProcessSpec& spec_;
  ProcessOutcome& outcome_;
  std::size_t line_start_ = 0;
  std::size_t given_ = 0;
};

}  // namespace

std::optional<std::filesystem::path> find_program(std::string_view name) {
  if (name.find('/') != std::string_view::npos)
    return ::access(std::string(name).c_str(), X_OK) == 0
               ? std::optional<std::filesystem::path>(name)
               : std::nullopt;
  const char* variable = std::getenv("PATH");
  std::string_view search = variable ? variable : "/usr/bin:/bin";
  while (true) {
    const auto colon = search.find(':');
    auto candidate = std::filesystem::path(search.substr(0, colon)) / name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    if (colon == std::string_view::npos) return std::nullopt;
    search.remove_prefix(colon + 1);
  }
}

Result<ProcessOutcome> run_process(const ProcessSpec& spec, std::stop_token stop) {
  ProcessOutcome outcome;
  Conversation conversation(spec, outcome);
  if (!conversation.open())
    return fail(ErrorKind::infrastructure,
                fmt::format("cannot start {}: too many open files", spec.arguments.at(0)));
  ASSAY_TRY(const pid_t pid, spawn(spec, conversation.child_side()));
  conversation.after_spawn();
  const auto deadline = spec.deadline ? std::optional<Deadline>(*spec.deadline) : std::nullopt;
  std::optional<int> code;
  while (!conversation.finished()) {
    outcome.cancelled = stop.stop_requested();
    outcome.timed_out = !outcome.cancelled && deadline && deadline->passed();
    if (outcome.cancelled || outcome.timed_out) {
      code = terminate(pid, terminate_grace);
      break;
    }
    conversation.exchange(poll_interval);
    // A grandchild may hold the pipes open after the child is gone: the child's end counts.
    if (!code && (code = reap(pid))) break;
  }
  for (int drained = 0; !conversation.finished() && drained < 100; ++drained)
    conversation.exchange(milliseconds(1));
  while (!code) {
    outcome.cancelled = stop.stop_requested();
    outcome.timed_out = !outcome.cancelled && deadline && deadline->passed();
    code = outcome.cancelled || outcome.timed_out ? terminate(pid, terminate_grace) : reap(pid);
    if (!code) std::this_thread::sleep_for(milliseconds(2));
  }
  outcome.exit_code = *code;
  return outcome;
}

Result<ChildProcess> ChildProcess::start(const ProcessSpec& spec,
                                         const std::filesystem::path& errors_to) {
  Pipe input, output;
  int errors = -1;
  if (!errors_to.empty())
    errors = ::open(errors_to.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (!input.open() || !output.open() || (!errors_to.empty() && errors < 0))
    return fail(ErrorKind::infrastructure,
                fmt::format("cannot start {}: {}", spec.arguments.at(0), std::strerror(errno)));
  auto pid = spawn(spec, {input.read, output.write, errors});
  close_if_open(errors);
  if (!pid) return tl::unexpected(pid.error());
  ChildProcess child;
  child.pid_ = *pid;
  child.input_ = std::exchange(input.write, -1);
  child.output_ = std::exchange(output.read, -1);
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      input_(std::exchange(other.input_, -1)),
      output_(std::exchange(other.output_, -1)),
      exit_code_(other.exit_code_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(input_, other.input_);
  std::swap(output_, other.output_);
  std::swap(exit_code_, other.exit_code_);
  return *this;
}

ChildProcess::~ChildProcess() {
  stop();
}

bool ChildProcess::running() {
  if (pid_ < 0 || exit_code_) return false;
  exit_code_ = reap(pid_);
  return !exit_code_;
}

int ChildProcess::stop(milliseconds grace) {
  close_if_open(input_);
  close_if_open(output_);
  if (pid_ >= 0 && !exit_code_) exit_code_ = terminate(pid_, grace);
  return exit_code_.value_or(0);
}

}  // namespace assay
