#include "boards/station/inventory.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "harness/core/hash.hpp"

namespace assay {
namespace {

/// What an ST-Link server says of a probe has room for so many characters.
constexpr std::size_t longest_serial = 32;

/// The probe serial of a virtual board, unique where names are: from a name that is too long, its
/// hash.
std::string virtual_serial(const std::string& name) {
  const std::string serial = "VB-" + name;
  return serial.size() <= longest_serial ? serial : "VB-" + sha256_hex(name).substr(0, 24);
}

/// Names and serials end up in file names, messages, and the arguments of other programs.
bool is_word(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

void check_word(JsonObject& object, const char* key, const std::string& text) {
  if (!is_word(text))
    object.problem(key, fmt::format("\"{}\": expected letters, digits and . _ -", text));
}

/// Lower case, as identities are compared.
std::optional<std::string> read_unique_id(JsonObject& object) {
  auto id = object.maybe<std::string>("unique_id");
  if (!id) return id;
  const bool hex = !id->empty() && id->size() % 2 == 0 &&
                   std::ranges::all_of(*id, [](unsigned char c) { return std::isxdigit(c); });
  if (!hex) object.problem("unique_id", fmt::format("\"{}\": expected hexadecimal bytes", *id));
  std::ranges::transform(*id, id->begin(), [](unsigned char c) { return std::tolower(c); });
  return id;
}

void check_connections(JsonObject& object, const Board& board) {
  check_word(object, "probe_serial", board.probe_serial);
  if (!board.virtual_board) return;
  if (!board.uart.empty()) object.problem("uart", "a virtual board brings its own");
  if (board.probe_serial.size() > longest_serial)
    object.problem(
        "probe_serial",
        fmt::format("\"{}\", the serial of the virtual probe, is longer than {} characters",
                    board.probe_serial, longest_serial));
}

/// How a board under Linux is reached.
void read_command(JsonObject& object, Board& board) {
  board.probe_serial = "linux-" + board.name;  // there is no probe; what the lock is on
  if (board.virtual_board) return;
  board.unique_id = object.maybe<std::string>("unique_id");  // its device tree's serial number
  board.command = object.list<std::string>("command");
  if (board.command.empty())
    object.problem("command",
                   "expected what runs a shell line on the board, as [\"ssh\", "
                   "\"pi@raspberrypi\"]");
}

void read_connections(JsonObject& object, Board& board) {
  if (board.virtual_board) {
    board.probe_serial = object.optional("probe_serial", virtual_serial(board.name));
    board.uart = object.optional<std::string>("uart", "");
  } else {
    board.probe_serial = object.required<std::string>("probe_serial");
    board.uart = object.required<std::string>("uart");
  }
  board.unique_id = read_unique_id(object);
  check_connections(object, board);
}

Board read_board(JsonObject& object) {
  Board board;
  board.name = object.required<std::string>("name");
  check_word(object, "name", board.name);
  const auto type_name = object.required<std::string>("type");
  board.virtual_board = object.optional("virtual", false);
  const auto type = find_board_type(type_name);
  if (type) board.type = *type;
  if (board.type.part.runs_linux())
    read_command(object, board);
  else
    read_connections(object, board);
  if (!type && !object.errors().failed()) object.problem("type", type.error().message);
  return board;
}

/// Notes a second use of what only one board can have.
class Uniqueness {
 public:
  explicit Uniqueness(const char* key) : key_(key) {}
  void check(JsonObject& object, const std::string& value) {
    if (value.empty() || seen_.insert(value).second) return;
    object.problem(key_, fmt::format("\"{}\" is given to two boards", value));
  }

 private:
  const char* key_;
  std::set<std::string> seen_;
};

}  // namespace

Result<std::vector<Board>> load_inventory(const std::filesystem::path& path) {
  std::vector<Board> boards;
  std::error_code code;  // a folder that may not be searched is read_json_file()'s to report
  if (!std::filesystem::exists(path, code) && !code) return boards;
  ASSAY_TRY(const auto json, read_json_file(path));
  JsonErrors errors(path.string());
  {
    JsonObject object(json, "", errors);
    Uniqueness names("name");
    Uniqueness probes("probe_serial");
    Uniqueness uarts("uart");
    Uniqueness commands("command");
    object.for_each_object("boards", [&](JsonObject& entry) {
      boards.push_back(read_board(entry));
      names.check(entry, boards.back().name);
      probes.check(entry, boards.back().probe_serial);
      uarts.check(entry, boards.back().uart);
      commands.check(entry, fmt::format("{}", fmt::join(boards.back().command, " ")));
    });
  }
  ASSAY_CHECK(errors.status());
  return boards;
}

Board implicit_virtual_board(const BoardType& type) {
  Board board;
  board.name = "virtual:" + type.name;
  board.type = type;
  board.virtual_board = true;
  board.probe_serial = virtual_serial(board.name);
  return board;
}

}  // namespace assay
