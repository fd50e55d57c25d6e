#include "boards/virtual/control.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>

#include "boards/virtual/sockets.hpp"

namespace assay::virtual_board {
namespace {

std::string state_word(Board::Access& board) {
  if (!board.powered()) return "off";
  if (board.held_in_reset()) return "held_in_reset";
  if (board.failure()) return "failed";
  if (board.hang() != Hang::no) return "hung";
  switch (board.processor().state()) {
    case RunState::running:
      return "running";
    case RunState::sleeping:
      return "sleeping";
    case RunState::halted:
      return "halted";
    case RunState::locked_up:
      return "locked_up";
  }
  return "running";
}

Json status_of(Board::Access& board) {
  Processor& processor = board.processor();
  Json status{{"state", state_word(board)},
              {"pc", processor.pc()},
              {"core_clock_hz", board.core_clock().count()},
              {"instructions", processor.counter().instructions()},
              {"cycles", processor.counter().cycles()},
              {"fault_status", processor.system().fault_status()},
              {"hard_fault_status", processor.system().hard_fault_status()},
              {"fault_address", processor.system().fault_address()}};
  if (board.failure()) status["failure"] = board.failure()->reason;
  return status;
}

Json window_json(const Window& window) {
  constexpr std::array<const char*, instruction_class_count> names{"alu",      "load",   "store",
                                                                   "multiply", "branch", "other"};
  Json json{{"instructions", window.instructions},
            {"words_loaded", window.words_loaded},
            {"cycles", window.cycles}};
  for (std::size_t c = 0; c < names.size(); ++c)
    json[names[c]] = window.classes[c];
  return json;
}

}  // namespace

Json describe_board(const Board& board) {
  const BoardSpec& spec = board.spec();
  return {{"name", spec.name},
          {"type", spec.type.name},
          {"part", spec.type.part.name},
          {"serial", spec.serial},
          {"uart", board.uart_path()}};
}

Json Control::counts(Board& board, bool all) {
  Board::Access access(board);
  const std::vector<Window>& windows = access.processor().counter().windows();
  std::size_t& told = windows_told_[&board];
  Json list = Json::array();
  for (std::size_t i = all ? 0 : told; i < windows.size(); ++i)
    list.push_back(window_json(windows[i]));
  told = windows.size();
  return {{"windows", list}};
}

Result<Json> Control::handle_board(const std::string& name, JsonObject& request, Board& board) {
  if (name == "counts") return counts(board, request.optional("all", false));
  if (name == "status") {
    Board::Access access(board);
    return status_of(access);
  }
  if (name == "reset") {
    Board::Access(board).reset();
    return Json::object();
  }
  if (name == "power") {
    const bool on = request.required<bool>("on");
    if (!request.errors().failed()) Board::Access(board).set_power(on);
    return Json::object();
  }
  ASSAY_CHECK(inject_fault(request, board));
  return Json::object();
}

Result<Json> Control::handle(const Json& json) {
  JsonErrors errors("request");
  Result<Json> answer = Json::object();
  {
    JsonObject request(json, "", errors);
    const std::string name = request.choice(
        "request", {"boards", "status", "counts", "reset", "power", "fault"}, std::nullopt);
    if (errors.failed()) return tl::unexpected(errors.status().error());
    if (name == "boards") {
      Json list = Json::array();
      for (const auto& board : boards_)
        list.push_back(describe_board(*board));
      answer = Json{{"boards", list}};
    } else {
      const auto wanted = request.required<std::string>("board");
      Board* found = nullptr;
      for (const auto& board : boards_)
        if (board->spec().name == wanted) found = board.get();
      if (!found)
        return fail(ErrorKind::bad_input, fmt::format("no board is named \"{}\"", wanted));
      answer = handle_board(name, request, *found);
    }
  }
  if (errors.failed()) return tl::unexpected(errors.status().error());
  return answer;
}

std::string Control::answer(std::string_view line) {
  const std::lock_guard lock(mutex_);
  Result<Json> result =
      parse_json(line, "request").and_then([&](const Json& request) { return handle(request); });
  if (!result) return Json{{"ok", false}, {"error", result.error().message}}.dump();
  (*result)["ok"] = true;
  return result->dump();
}

void Control::serve(int socket) {
  std::string pending;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t count = recv(socket, buffer.data(), buffer.size(), 0);
    if (count <= 0) return;
    pending.append(buffer.data(), static_cast<std::size_t>(count));
    for (std::size_t end; (end = pending.find('\n')) != std::string::npos;) {
      const std::string reply = answer(std::string_view(pending).substr(0, end)) + "\n";
      pending.erase(0, end + 1);
      if (!send_all(socket,
                    std::span(reinterpret_cast<const std::uint8_t*>(reply.data()), reply.size())))
        return;
    }
  }
}

}  // namespace assay::virtual_board
