#include "harness/core/interrupt.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "harness/core/result.hpp"

namespace assay {
namespace {

// A handler may only call async-signal-safe functions: it writes to a pipe, and a thread that reads
// the pipe asks for the stop.
int wake_up_pipe[2] = {-1, -1};

void on_signal(int) {
  static volatile std::sig_atomic_t signals = 0;
  signals = signals + 1;
  if (signals > 1) ::_exit(exit_code(ErrorKind::interrupted));
  const char byte = 0;
  [[maybe_unused]] const auto written = ::write(wake_up_pipe[1], &byte, 1);
}

std::stop_source start_watching() {
  std::stop_source source;
  if (::pipe2(wake_up_pipe, O_CLOEXEC) != 0) return source;
  std::thread([source]() mutable {
    char byte = 0;
    while (::read(wake_up_pipe[0], &byte, 1) < 0) {
    }
    source.request_stop();
  }).detach();
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return source;
}

}  // namespace

std::stop_token install_interrupt_handler() {
  static const std::stop_source source = start_watching();
  return source.get_token();
}

}  // namespace assay
