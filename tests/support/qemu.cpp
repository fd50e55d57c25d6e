#include "tests/support/qemu.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <sstream>

#include "harness/core/clock.hpp"
#include "harness/core/file.hpp"
#include "harness/core/json.hpp"
#include "harness/core/process.hpp"

namespace assay::test {

namespace {

/// Files of one run, removed with it.
class RunFiles {
 public:
  RunFiles() {
    static std::atomic<int> serial{0};
    const auto stem = fmt::format("{}qemu-{}-{}", ::testing::TempDir(), ::getpid(), serial++);
    counts = stem + ".jsonl";
    errors = stem + ".log";
  }
  ~RunFiles() {
    std::error_code ignored;
    std::filesystem::remove(counts, ignored);
    std::filesystem::remove(errors, ignored);
  }
  std::filesystem::path counts;
  std::filesystem::path errors;
};

/// Writes what the pipe takes now; the rest waits for the next call.
void write_some(int fd, std::string& pending) {
  const ssize_t written = ::write(fd, pending.data(), pending.size());
  if (written > 0) pending.erase(0, static_cast<std::size_t>(written));
}

/// Moves bytes both ways until the end of output, `until`, or the deadline.
void converse(const QemuSpec& spec, ChildProcess& qemu, QemuRun& run) {
  const Deadline deadline(spec.timeout);
  std::string pending = spec.input;
  std::array<char, 4096> buffer;
  while (spec.until.empty() || run.console.find(spec.until) == std::string::npos) {
    std::array<pollfd, 2> fds = {pollfd{qemu.output(), POLLIN, 0},
                                 pollfd{pending.empty() ? -1 : qemu.input(), POLLOUT, 0}};
    if (deadline.passed()) {
      run.timed_out = true;
      return;
    }
    if (::poll(fds.data(), fds.size(), static_cast<int>(deadline.remaining().count()) + 1) <= 0)
      continue;
    if (fds[1].revents & POLLOUT) write_some(qemu.input(), pending);
    if (fds[0].revents == 0) continue;
    const ssize_t got = ::read(qemu.output(), buffer.data(), buffer.size());
    if (got <= 0) return;
    run.console.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

std::vector<std::string> qemu_command(const QemuSpec& spec,
                                      const std::filesystem::path& counts_file) {
  std::vector<std::string> command = {
      "qemu-system-arm",
      "-M",
      spec.machine,
      "-display",
      "none",
      "-monitor",
      "none",
      "-chardev",
      "stdio,id=console,signal=off",
      "-plugin",
      fmt::format("{},out={}", QEMU_COUNT_PLUGIN, counts_file.string()),
      "-kernel",
      spec.elf.string()};
  if (spec.console == QemuConsole::serial) {
    command.insert(command.end(), {"-serial", "chardev:console"});
  } else {
    command.insert(command.end(), {"-serial", "none", "-semihosting-config",
                                   "enable=on,target=native,chardev=console"});
  }
  return command;
}

Result<std::vector<InstructionWindow>> read_windows(const std::filesystem::path& counts_file) {
  std::vector<InstructionWindow> windows;
  if (!std::filesystem::exists(counts_file)) return windows;
  ASSAY_TRY(const std::string text, read_text(counts_file));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    ASSAY_TRY(const Json json, parse_json(line, counts_file.string()));
    JsonErrors errors(counts_file.string());
    {
      JsonObject object(json, "", errors);
      auto count = [&object](const char* name) { return object.required<std::uint64_t>(name); };
      windows.push_back({count("total"), count("alu"), count("load"), count("store"),
                         count("multiply"), count("branch"), count("other")});
    }
    ASSAY_CHECK(errors.status());
  }
  return windows;
}

Result<QemuRun> run_qemu(const QemuSpec& spec) {
  const RunFiles files;
  QemuRun run;
  {
    ProcessSpec process;
    process.arguments = qemu_command(spec, files.counts);
    ASSAY_TRY(ChildProcess qemu, ChildProcess::start(process, files.errors));
    converse(spec, qemu, run);
    qemu.stop();
  }
  ASSAY_TRY(run.windows, read_windows(files.counts));
  ASSAY_TRY(run.errors, read_text(files.errors));
  return run;
}

}  // namespace assay::test
