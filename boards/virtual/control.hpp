// The control socket's requests, as CONTROL.md documents them.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "boards/virtual/board.hpp"
#include "harness/core/json.hpp"

namespace assay::virtual_board {

/// {"name", "type", "part", "serial", "uart"}, as in the ready line.
Json describe_board(const Board& board);

/// Answers requests; thread-safe.
class Control {
 public:
  explicit Control(std::span<const std::unique_ptr<Board>> boards) : boards_(boards) {}

  /// One request line to one answer line (without the newline). Never fails: a bad request is
  /// answered with "ok": false.
  std::string answer(std::string_view line);
  /// Serves one client until it leaves.
  void serve(int socket);

 private:
  Result<Json> handle(const Json& request);
  Result<Json> handle_board(const std::string& name, JsonObject& request, Board& board);
  Json counts(Board& board, bool all);

  std::span<const std::unique_ptr<Board>> boards_;
  std::mutex mutex_;
  std::map<const Board*, std::size_t> windows_told_;
};

/// Puts the fault of a request into a board. Errors: bad_input.
Status inject_fault(JsonObject& request, Board& board);

}  // namespace assay::virtual_board
