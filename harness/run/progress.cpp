#include "harness/run/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

namespace assay {
namespace {

constexpr std::chrono::milliseconds redraw_interval{100};

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string duration_text(double seconds) {
  if (seconds < 10) return fmt::format("{:.1f} s", seconds);
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

Progress::Progress(const std::vector<Task>& tasks, double estimated_seconds)
    : tasks_(tasks),
      estimated_seconds_(estimated_seconds),
      terminal_(::isatty(STDERR_FILENO) != 0),
      begin_(std::chrono::steady_clock::now()) {
  for (const auto& task : tasks)
    seconds_total_ += task.estimated_seconds;
}

void Progress::started(std::size_t task) {
  const std::lock_guard lock(mutex_);
  running_[task] = {};
  draw_live_line();
}

void Progress::update(std::size_t task, double fraction, const std::string& message) {
  const std::lock_guard lock(mutex_);
  running_[task] = {fraction, message};
  if (std::chrono::steady_clock::now() - drawn_ >= redraw_interval) draw_live_line();
}

void Progress::ended(std::size_t task, const TaskOutcome& outcome) {
  const std::lock_guard lock(mutex_);
  running_.erase(task);
  ++ended_;
  seconds_done_ += tasks_[task].estimated_seconds;
  clear_live_line();
  const auto& name = tasks_[task].name;
  if (outcome.state == TaskOutcome::State::done)
    fmt::print(stderr, "[{:>{}}/{}] {}: {}\n", ended_, std::to_string(tasks_.size()).size(),
               tasks_.size(), name, duration_text(outcome.seconds));
  else if (outcome.error && outcome.error->kind != ErrorKind::interrupted)
    fmt::print(stderr, "[{:>{}}/{}] {}: failed: {}\n", ended_, std::to_string(tasks_.size()).size(),
               tasks_.size(), name, outcome.error->message);
  draw_live_line();
}

double Progress::fraction_done() const {
  double done = seconds_done_;
  for (const auto& [task, state] : running_)
    done += state.fraction * tasks_[task].estimated_seconds;
  return seconds_total_ > 0 ? done / seconds_total_ : 1;
}

void Progress::draw_live_line() {
  if (!terminal_ || running_.empty()) return;
  drawn_ = std::chrono::steady_clock::now();
  const std::chrono::duration<double> elapsed = drawn_ - begin_;
  const double done = fraction_done();
  // Early on the plan's estimate counts, later what was observed.
  const double observed = done > 0 ? elapsed.count() / done : estimated_seconds_;
  const double total = (1 - done) * estimated_seconds_ + done * observed;
  std::string line = fmt::format("about {} left", duration_text(std::max(0.0, total * (1 - done))));
  for (const auto& [task, state] : running_)
    line += fmt::format(" | {}{}{}", tasks_[task].name, state.message.empty() ? "" : ": ",
                        state.message);
  fmt::print(stderr, "\r\033[K{}", line.substr(0, terminal_width() - 1));
  std::fflush(stderr);
}

void Progress::clear_live_line() {
  if (terminal_) fmt::print(stderr, "\r\033[K");
}

}  // namespace assay
