// Fault injection by request; the table in CONTROL.md.
#include <fmt/format.h>

#include "boards/virtual/control.hpp"

namespace assay::virtual_board {
namespace {

using Apply = void (*)(JsonObject&, Board&);

void stuck_flash_bit(JsonObject& request, Board& board) {
  const auto offset = request.maybe<std::uint32_t>("offset");
  const auto bit = request.optional<unsigned>("bit", 0);
  if (bit > 7) request.problem("bit", "expected 0 to 7");
  if (!request.errors().failed()) Board::Access(board).flash().set_stuck_bit(offset, bit);
}

void write_protect(JsonObject& request, Board& board) {
  const bool on = request.required<bool>("on");
  if (!request.errors().failed()) Board::Access(board).flash_controller().set_write_protected(on);
}

double rate(JsonObject& request, const char* key) {
  const double value = request.optional<double>(key, 0);
  if (value < 0 || value > 1) request.problem(key, "expected a rate from 0 to 1");
  return value;
}

void uart(JsonObject& request, Board& board) {
  const std::string direction = request.choice("direction", {"to_board", "from_board"});
  LineFault fault;
  fault.drop_next = request.optional<std::uint32_t>("drop_next", 0);
  fault.corrupt_next = request.optional<std::uint32_t>("corrupt_next", 0);
  fault.drop_rate = rate(request, "drop_rate");
  fault.corrupt_rate = rate(request, "corrupt_rate");
  fault.random.seed(request.optional<std::uint64_t>("seed", 1));
  if (request.errors().failed()) return;
  Board::Access access(board);
  (direction == "to_board" ? access.uart().fault_to_board() : access.uart().fault_from_board()) =
      fault;
}

void uart_paced(JsonObject& request, Board& board) {
  const bool on = request.required<bool>("on");
  if (!request.errors().failed()) Board::Access(board).uart().set_paced(on);
}

void hang(JsonObject& request, Board& board) {
  const std::string until = request.choice("until", {"reset", "power", "never"});
  if (request.errors().failed()) return;
  Board::Access(board).set_hang(until == "reset"   ? Hang::until_reset
                                : until == "power" ? Hang::until_power_cycle
                                                   : Hang::no);
}

void unique_id(JsonObject& request, Board& board) {
  constexpr std::size_t size = 12;
  const auto text = request.required<std::string>("text");
  if (text.size() != size) request.problem("text", "expected 12 characters");
  if (!board.spec().type.part.unique_id)
    request.problem("", fmt::format("{} has no unique id", board.spec().type.part.name));
  if (request.errors().failed()) return;
  const std::vector<std::uint8_t> bytes(text.begin(), text.end());
  Board::Access(board).memory().set_unique_id(bytes);
}

void probe(JsonObject& request, Board& board) {
  const bool present = request.required<bool>("present");
  if (!request.errors().failed()) Board::Access(board).set_probe_present(present);
}

struct Fault {
  std::string_view name;
  Apply apply;
};
constexpr std::array faults = {
    Fault{"stuck_flash_bit", stuck_flash_bit},
    Fault{"write_protect", write_protect},
    Fault{"uart", uart},
    Fault{"uart_paced", uart_paced},
    Fault{"hang", hang},
    Fault{"unique_id", unique_id},
    Fault{"probe", probe},
};

}  // namespace

Status inject_fault(JsonObject& request, Board& board) {
  const auto name = request.required<std::string>("fault");
  for (const Fault& fault : faults) {
    if (fault.name != name) continue;
    fault.apply(request, board);
    return {};
  }
  std::string known;
  for (const Fault& fault : faults)
    known += fmt::format(" {}", fault.name);
  request.problem("fault", fmt::format("no fault is named \"{}\"; known:{}", name, known));
  return {};
}

}  // namespace assay::virtual_board
