// virtual-board: virtual ST-Link probes, UARTs and chips. Links the Unicorn engine (GPL) and is a
// program of its own for that reason.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "boards/virtual/board.hpp"
#include "boards/virtual/connection_server.hpp"
#include "boards/virtual/control.hpp"
#include "boards/virtual/options.hpp"
#include "boards/virtual/stlink_server.hpp"

namespace assay::virtual_board {
namespace {

using Boards = std::vector<std::unique_ptr<Board>>;

Result<Boards> create_boards(const Options& options) {
  Boards boards;
  for (const BoardOption& option : options.boards) {
    ASSAY_TRY(BoardType type, find_board_type(option.type));
    ASSAY_TRY(auto board, Board::create({option.name, std::move(type), option.serial}));
    boards.push_back(std::move(board));
  }
  return boards;
}

void print_ready(const Boards& boards, std::uint16_t port, const std::filesystem::path& control) {
  Json list = Json::array();
  for (const auto& board : boards)
    list.push_back(describe_board(*board));
  const Json ready{{"event", "ready"},
                   {"probe_port", port},
                   {"control", control.native()},
                   {"boards", std::move(list)}};
  fmt::print("{}\n", ready.dump());
  std::fflush(stdout);
}

/// SIGTERM and SIGINT as a descriptor; call before any thread is started.
Descriptor block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return Descriptor(signalfd(-1, &signals, SFD_CLOEXEC));
}

/// Returns at SIGTERM or SIGINT, or when standard input ends: whoever started this is gone.
void wait_for_end(const Descriptor& signals) {
  for (;;) {
    std::array<pollfd, 2> descriptors{pollfd{STDIN_FILENO, POLLIN, 0},
                                      pollfd{signals.get(), POLLIN, 0}};
    poll(descriptors.data(), descriptors.size(), -1);
    if (descriptors[1].revents) return;
    std::array<char, 256> ignored{};
    if (descriptors[0].revents && read(STDIN_FILENO, ignored.data(), ignored.size()) <= 0) return;
  }
}

Status serve(const Options& options, const Descriptor& signals) {
  ASSAY_TRY(const Boards boards, create_boards(options));
  ASSAY_TRY(Descriptor probe_socket, listen_tcp(options.probe_port));
  const std::uint16_t port = port_of(probe_socket);
  ASSAY_TRY(Descriptor control_socket, listen_unix(options.control));
  Control control(boards);
  const ConnectionServer probes(std::move(probe_socket),
                                [&](int socket) { serve_stlink(socket, boards, options.trace); });
  const ConnectionServer controls(std::move(control_socket),
                                  [&](int socket) { control.serve(socket); });
  print_ready(boards, port, options.control);
  wait_for_end(signals);
  std::error_code ignored;
  std::filesystem::remove(options.control, ignored);
  return {};
}

int run(int argc, char** argv) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  const Descriptor signals = block_signals();
  spdlog::set_default_logger(spdlog::stderr_logger_mt("virtual-board"));
  const auto options = parse_options(argc, argv);
  const Status status = !options   ? Status(tl::unexpected(options.error()))
                        : *options ? serve(**options, signals)
                                   : Status();
  if (status) return 0;
  fmt::print(stderr, "virtual-board: {}\n", status.error().message);
  return exit_code(status.error().kind);
}

}  // namespace
}  // namespace assay::virtual_board

int main(int argc, char** argv) {
  return assay::virtual_board::run(argc, argv);
}
