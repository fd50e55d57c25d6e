#include "harness/core/board_type.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "harness/core/paths.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

fs::path types_folder() {
  return source_root() / "boards" / "types";
}

/// {"port": "A", "number": 9, "function": 7}
Pin read_pin(JsonObject& object, const std::string& key) {
  JsonObject inner = object.object(key);
  const auto port = inner.required<std::string>("port");
  if (port.size() != 1 || port[0] < 'A' || port[0] > 'K')
    inner.problem("port", "expected one letter from A to K");
  return {port.empty() ? 'A' : port[0], inner.required_within<int>("number", 0, 15),
          inner.required_within<int>("function", 0, 15)};
}

SupplyChoice supply_choice(const BoardType& type) {
  return {type.supply_mode, type.part.supply_modes, type.power_wiring};
}

void read_supply_mode(JsonObject& object, BoardType& type) {
  type.power_wiring = read_supply_modes(object, "power_wiring");
  if (const auto word = object.maybe<std::string>("supply_mode")) {
    const auto mode = parse_supply_mode(*word);
    if (mode)
      type.supply_mode = *mode;
    else
      object.problem("supply_mode", mode.error().message);
  }
  const auto supply = check_supply_choice(supply_choice(type), type.part.title);
  if (!supply) object.problem("supply_mode", supply.error().message);
}

/// What connects a microcontroller with its surroundings.
void read_wiring(JsonObject& object, BoardType& type) {
  if (auto crystal = object.maybe<std::uint64_t>("crystal")) type.crystal = Hertz(*crystal);
  type.clock_input = object.optional("clock_input", false);
  type.uart = object.required<std::string>("uart");
  type.uart_tx = read_pin(object, "uart_tx");
  type.uart_rx = read_pin(object, "uart_rx");
  type.baud = Baud(object.required_within<std::uint32_t>("baud", 1200, 20'000'000));
  const auto& uarts = type.part.uarts;
  if (std::ranges::find(uarts, type.uart, &Uart::name) == uarts.end())
    object.problem("uart", fmt::format("{} has no UART \"{}\"", type.part.name, type.uart));
  read_supply_mode(object, type);
}

/// Names in the device tree; absent: the title, without what it says in brackets.
std::vector<std::string> read_computers(JsonObject& object, const BoardType& type) {
  auto names = object.list<std::string>("computers");
  if (names.empty()) names.push_back(type.title.substr(0, type.title.find(" (")));
  return names;
}

void check_clock(JsonObject& object, const BoardType& type) {
  if (type.clock > type.part.max_clock.value)
    object.problem("clock", fmt::format("{} Hz is above the {} Hz {} allows", type.clock.count(),
                                        type.part.max_clock.value.count(), type.part.name));
}

Result<BoardType> parse_board_type(const Json& json, const std::string& source) {
  BoardType type;
  JsonErrors errors(source);
  {
    JsonObject object(json, "", errors);
    type.name = object.required<std::string>("name");
    type.title = object.required<std::string>("title");
    const auto part_name = object.required<std::string>("part");
    ASSAY_CHECK(errors.status());
    ASSAY_TRY(type.part, load_part(part_name));
    if (type.part.runs_linux())
      type.computers = read_computers(object, type);
    else
      read_wiring(object, type);
    type.clock = Hertz(object.required<std::uint64_t>("clock"));
    type.supply =
        Millivolts(object.required_within<std::uint32_t>("supply", lowest_supply, highest_supply));
    type.external_memory = object.optional<std::string>("external_memory", "");
    type.default_for_part = object.optional("default_for_part", false);
    type.source = object.required<std::string>("source");
    check_clock(object, type);
  }
  ASSAY_CHECK(errors.status());
  return type;
}

}  // namespace

const Uart& BoardType::uart_block() const {
  return *std::ranges::find(part.uarts, uart, &Uart::name);
}

Status check_supply(const BoardType& type) {
  const auto status = check_supply_choice(supply_choice(type), type.part.title);
  if (status) return {};
  return fail(status.error().kind,
              fmt::format("{}: supply_mode: {}", type.name, status.error().message));
}

std::vector<std::string> known_board_types() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(types_folder()))
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem());
  std::ranges::sort(names);
  return names;
}

Result<BoardType> load_board_type(const std::string& name) {
  const auto names = known_board_types();
  if (std::ranges::find(names, name) == names.end())
    return fail(ErrorKind::bad_input, fmt::format("unknown board type \"{}\": known types are {}",
                                                  name, fmt::join(names, ", ")));
  const auto path = types_folder() / (name + ".json");
  ASSAY_TRY(const auto json, read_json_file(path));
  return parse_board_type(json, path.string());
}

Result<BoardType> find_board_type(const std::string& name_or_part) {
  const auto names = known_board_types();
  if (std::ranges::find(names, name_or_part) != names.end()) return load_board_type(name_or_part);
  const auto part = load_part(name_or_part);
  if (!part)
    return fail(ErrorKind::bad_input,
                fmt::format("unknown board type or part \"{}\": known types are {}; known parts "
                            "are {}",
                            name_or_part, fmt::join(names, ", "), fmt::join(known_parts(), ", ")));
  for (const auto& name : names) {
    ASSAY_TRY(auto type, load_board_type(name));
    if (type.default_for_part && type.part.name == part->name) return type;
  }
  return fail(ErrorKind::bad_input,
              fmt::format("no board type in boards/types is the default for part {}", part->name));
}

Result<Hertz> core_clock(const BoardType& type, double mhz) {
  if (type.part.runs_linux())
    return fail(ErrorKind::bad_input,
                fmt::format("the operating system of a {} sets its clock", type.part.title));
  const Hertz limit = type.part.max_clock.value;
  if (mhz * 1e6 >= 1 && mhz * 1e6 < static_cast<double>(limit.count()) + 0.5)
    return Hertz(static_cast<std::uint64_t>(std::llround(mhz * 1e6)));
  return fail(ErrorKind::bad_input,
              fmt::format("expected more than 0 and at most {:g} MHz, found {:g}",
                          static_cast<double>(limit.count()) / 1e6, mhz));
}

}  // namespace assay
