#include "harness/core/part.hpp"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "harness/core/paths.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

fs::path parts_folder() {
  return source_root() / "targets" / "parts";
}

/// The largest error band that is worth printing, in percent.
constexpr double widest_band = 100;

/// {"value": ..., "source": "..."}; `make` turns the number into the unit.
template <class T, class Number, class Make>
Sourced<T> read_sourced(JsonObject& object, const std::string& key, Number low, Number high,
                        Make make) {
  JsonObject inner = object.object(key);
  return {make(inner.required_within<Number>("value", low, high)),
          inner.required<std::string>("source")};
}

std::optional<double> read_band(JsonObject& object, const std::string& key) {
  return object.maybe_within<double>(key, 0, widest_band);
}

LinuxTools read_linux_tools(JsonObject object) {
  LinuxTools tools;
  tools.compiler = object.required<std::string>("compiler");
  tools.compiler_package = object.required<std::string>("compiler_package");
  tools.emulator = object.required<std::string>("emulator");
  tools.emulator_package = object.required<std::string>("emulator_package");
  tools.emulated_core = object.required<std::string>("emulated_core");
  return tools;
}

/// How the virtual board runs the core, and what its instructions cost there.
void read_virtual_core(JsonObject& object, Core& core) {
  core.engine_model =
      object.choice("engine_model", {"cortex-m0", "cortex-m4", "cortex-m7", "cortex-m33"});
  core.cycle_counter = object.choice("cycle_counter", {"dwt", "systick"});
  core.cycle_model = object.required<std::string>("cycle_model");
  core.cycle_band_pct = read_band(object, "cycle_band_pct");
  core.cycle_band_layer_pct = read_band(object, "cycle_band_layer_pct");
  core.cycle_evidence = object.required<std::string>("cycle_evidence");
  JsonObject cycles = object.object("cycles");
  const Json& table = object.raw("cycles");
  for (auto it = table.begin(); table.is_object() && it != table.end(); ++it)
    core.cycles[it.key()] = cycles.required_within<double>(it.key(), 0, 1000);
}

Result<Core> parse_core(const Json& json, const std::string& source) {
  Core core;
  JsonErrors errors(source);
  {
    JsonObject object(json, "", errors);
    core.name = object.required<std::string>("name");
    core.architecture = object.required<std::string>("architecture");
    core.dsp = object.required<bool>("dsp");
    core.neon = object.optional("neon", false);
    core.fpu = object.required<bool>("fpu");
    core.compile_flags = object.list<std::string>("compile_flags");
    core.source = object.required<std::string>("source");
    if (object.has("linux"))
      core.linux_tools = read_linux_tools(object.object("linux"));
    else
      read_virtual_core(object, core);
  }
  ASSAY_CHECK(errors.status());
  return core;
}

MemoryRegion read_region(JsonObject& object) {
  MemoryRegion region;
  region.name = object.required<std::string>("name");
  region.flash = object.optional("flash", false);
  region.base = object.address("base");
  region.size = Bytes(object.required<std::uint64_t>("size"));
  if (region.size.count() % 1024 != 0 || region.size == Bytes(0))
    object.problem("size",
                   fmt::format("expected whole kilobytes, found {} bytes", region.size.count()));
  if (region.base % 1024 != 0) object.problem("base", "expected a multiple of 1024");
  region.source = object.required<std::string>("source");
  return region;
}

Uart read_uart(JsonObject& object) {
  Uart uart;
  uart.name = object.required<std::string>("name");
  uart.driver = object.choice("driver", {"stm32-usart-v1", "stm32-usart-v2", "stm32-lpuart"});
  uart.base = object.address("base");
  uart.interrupt = object.required_within<int>("interrupt", 0, 239);  // Arm's limit (ARMv7-M B3.4)
  uart.source = object.required<std::string>("source");
  return uart;
}

void read_memory(JsonObject& object, Part& part) {
  object.for_each_object("memory",
                         [&](JsonObject& region) { part.memory.push_back(read_region(region)); });
  const MemoryRegion* last = nullptr;
  for (const MemoryRegion& region : part.memory) {
    if (!region.flash) continue;
    if (last && region.base != last->base + last->size.count())
      object.problem("memory", fmt::format("expected the flash region {} to begin where {} ends",
                                           region.name, last->name));
    last = &region;
  }
  const auto has = [&](bool flash) {
    return std::ranges::find(part.memory, flash, &MemoryRegion::flash) != part.memory.end();
  };
  if (!part.runs_linux() && !has(true)) object.problem("memory", "needs a flash region");
  if (part.runs_linux() && has(true)) object.problem("memory", "a Linux system has RAM alone");
  if (!has(false)) object.problem("memory", "needs a RAM region");
}

void read_flash_alias_and_caches(JsonObject& object, Part& part) {
  if (object.has("flash_alias"))
    part.flash_alias = object.address("flash_alias");
  else if (std::ranges::find(part.memory, 0u, &MemoryRegion::base) == part.memory.end())
    part.flash_alias = 0;
  if (!object.has("caches")) return;
  JsonObject caches = object.object("caches");
  part.caches = {Bytes(caches.required<std::uint32_t>("instruction")),
                 Bytes(caches.required<std::uint32_t>("data")),
                 caches.required<std::string>("source")};
}

SecondCore read_second_core(JsonObject object, const Part& part) {
  SecondCore core;
  core.title = object.required<std::string>("title");
  core.flash = object.required<std::string>("flash");
  core.stack = object.required<std::string>("stack");
  core.source = object.required<std::string>("source");
  const MemoryRegion* flash = part.region(core.flash);
  if (!flash || !flash->flash || flash == &part.flash())
    object.problem(
        "flash",
        fmt::format("expected a flash region behind the program's, found \"{}\"", core.flash));
  const MemoryRegion* stack = part.region(core.stack);
  if (!stack || stack->flash)
    object.problem("stack", fmt::format("expected a RAM region, found \"{}\"", core.stack));
  return core;
}

FlashTiming::SharedMemory read_shared_memory(JsonObject& object) {
  FlashTiming::SharedMemory memory;
  memory.base = object.address("base");
  memory.size = Bytes(object.required<std::uint32_t>("size"));
  memory.miss_cycles = object.required<std::uint32_t>("miss_cycles");
  memory.source = object.required<std::string>("source");
  return memory;
}

FlashTiming::DataLines read_data_lines(JsonObject object) {
  FlashTiming::DataLines lines;
  lines.lines = object.required<std::uint32_t>("lines");
  lines.line_bytes = object.required<std::uint32_t>("line_bytes");
  lines.fill_bytes = object.optional<std::uint32_t>("fill_bytes", 0);
  lines.ways = object.optional<std::uint32_t>("ways", 0);
  lines.miss_cycles = object.optional<std::uint32_t>("miss_cycles", 0);
  if (object.has("shared"))
    object.for_each_object(
        "shared", [&](JsonObject& memory) { lines.shared.push_back(read_shared_memory(memory)); });
  lines.source = object.required<std::string>("source");
  if (lines.lines == 0 || lines.line_bytes < 4 || !std::has_single_bit(lines.line_bytes))
    object.problem("line_bytes", "expected lines of a power of two of bytes, 4 at least");
  else if (lines.fill_bytes != 0 &&
           (lines.fill_bytes < 4 || lines.fill_bytes > lines.line_bytes ||
            lines.line_bytes / lines.fill_bytes > 32 || !std::has_single_bit(lines.fill_bytes)))
    object.problem("fill_bytes", "expected a power of two from 4 to line_bytes");
  if (lines.ways != 0 &&
      (lines.lines % lines.ways != 0 || !std::has_single_bit(lines.lines / lines.ways)))
    object.problem("ways", "expected lines / ways to be a power of two");
  return lines;
}

FlashTiming::CodeLines read_code_lines(JsonObject object) {
  FlashTiming::CodeLines lines;
  lines.line_bytes = object.required<std::uint32_t>("line_bytes");
  lines.kept = object.required<std::uint32_t>("kept");
  lines.source = object.required<std::string>("source");
  if (lines.line_bytes < 4 || !std::has_single_bit(lines.line_bytes))
    object.problem("line_bytes", "expected lines of a power of two of bytes, 4 at least");
  return lines;
}

FlashTiming read_flash_timing(JsonObject object) {
  FlashTiming timing;
  object.for_each_object("wait_states", [&](JsonObject& range) {
    timing.wait_states.push_back({Hertz(range.required<std::uint64_t>("up_to_hz")),
                                  range.required<std::uint32_t>("cycles")});
  });
  timing.prefetch = object.required<bool>("prefetch");
  if (object.has("code_slowdown"))
    timing.code_slowdown = read_sourced<double, double>(object, "code_slowdown", 0, 1,
                                                        [](double value) { return value; });
  if (object.has("data_lines")) timing.data_lines = read_data_lines(object.object("data_lines"));
  if (object.has("code_lines")) timing.code_lines = read_code_lines(object.object("code_lines"));
  timing.band_pct = read_band(object, "band_pct");
  timing.band_layer_pct = read_band(object, "band_layer_pct");
  timing.evidence = object.required<std::string>("evidence");
  timing.source = object.required<std::string>("source");
  if (timing.wait_states.empty() ||
      !std::ranges::is_sorted(timing.wait_states, {}, &FlashTiming::Range::up_to))
    object.problem("wait_states", "expected ranges of rising clocks");
  return timing;
}

/// What only a microcontroller has: UARTs, a clock tree, a flash controller, a debug port.
void read_microcontroller(JsonObject& object, Part& part) {
  object.for_each_object("uarts", [&](JsonObject& uart) { part.uarts.push_back(read_uart(uart)); });
  part.clock_driver = object.required<std::string>("clock_driver");
  part.flash_controller = object.required<std::string>("flash_controller");
  read_flash_alias_and_caches(object, part);
  if (object.has("second_core"))
    part.second_core = read_second_core(object.object("second_core"), part);
  part.supply_modes = read_supply_modes(object, "supply_modes");
  if (object.has("flash_timing"))
    part.flash_timing = read_flash_timing(object.object("flash_timing"));
  part.flash_size_register = object.address("flash_size_register");
  if (object.has("unique_id")) part.unique_id = object.address("unique_id");
  part.debug_idcode = object.address("debug_idcode");
  part.debug_idcode_address = object.address("debug_idcode_address");
  part.debug_port_id = object.address("debug_port_id");
  part.cpuid = object.address("cpuid");
  part.openocd_target = object.required<std::string>("openocd_target");
}

void read_power_and_price(JsonObject& object, Part& part) {
  part.supply = read_sourced<Millivolts, std::uint32_t>(
      object, "supply", lowest_supply, highest_supply,
      [](std::uint32_t value) { return Millivolts(value); });
  if (object.has("run_current"))
    part.run_current = read_sourced<MicroampsPerMegahertz, double>(
        object, "run_current", 1, 10'000,
        [](double value) { return MicroampsPerMegahertz(value); });
  if (object.has("price_usd"))
    part.price_usd =
        read_sourced<double, double>(object, "price_usd", 0, 100'000, [](double v) { return v; });
}

}  // namespace

std::uint32_t FlashTiming::wait_states_at(Hertz clock) const {
  for (const Range& range : wait_states)
    if (clock <= range.up_to) return range.wait_states;
  return wait_states.back().wait_states;
}

const MemoryRegion* Part::region(std::string_view region_name) const {
  const auto found = std::ranges::find(memory, region_name, &MemoryRegion::name);
  return found == memory.end() ? nullptr : &*found;
}

const MemoryRegion& Part::flash() const {
  return *std::ranges::find(memory, true, &MemoryRegion::flash);
}

Bytes Part::flash_size() const {
  Bytes size;
  for (const MemoryRegion& region : memory)
    if (region.flash) size += region.size;
  return size;
}

const MemoryRegion& Part::ram() const {
  return *std::ranges::find(memory, false, &MemoryRegion::flash);
}

std::vector<SupplyMode> read_supply_modes(JsonObject& object, const std::string& key) {
  std::vector<SupplyMode> modes;
  for (const auto& word : object.list<std::string>(key)) {
    const auto mode = parse_supply_mode(word);
    if (mode)
      modes.push_back(*mode);
    else
      object.problem(key, mode.error().message);
  }
  return modes;
}

Result<Part> parse_part(const Json& json, const std::string& source) {
  Part part;
  JsonErrors errors(source);
  {
    JsonObject object(json, "", errors);
    part.name = object.required<std::string>("name");
    part.title = object.required<std::string>("title");
    const auto core_name = object.required<std::string>("core");
    ASSAY_CHECK(errors.status());
    ASSAY_TRY(part.core, load_core(core_name));
    part.aliases = object.list<std::string>("aliases");
    read_memory(object, part);
    part.max_clock =
        read_sourced<Hertz, std::uint64_t>(object, "max_clock", 100'000, 10'000'000'000,
                                           [](std::uint64_t value) { return Hertz(value); });
    if (!part.runs_linux()) read_microcontroller(object, part);
    read_power_and_price(object, part);
  }
  ASSAY_CHECK(errors.status());
  return part;
}

Result<Core> load_core(const std::string& name) {
  const auto path = parts_folder() / "cores" / (name + ".json");
  if (!fs::exists(path))
    return fail(ErrorKind::bad_input, fmt::format("unknown core \"{}\": there is no {}", name,
                                                  path.lexically_relative(source_root()).string()));
  ASSAY_TRY(const auto json, read_json_file(path));
  return parse_core(json, path.string());
}

std::vector<std::string> known_parts() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(parts_folder()))
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem());
  std::ranges::sort(names);
  return names;
}

Result<Part> load_part(const std::string& name) {
  const auto names = known_parts();
  for (const auto& candidate : names) {
    const auto path = parts_folder() / (candidate + ".json");
    ASSAY_TRY(const auto json, read_json_file(path));
    const auto aliases = json.value("aliases", std::vector<std::string>{});
    if (candidate == name || std::ranges::find(aliases, name) != aliases.end())
      return parse_part(json, path.string());
  }
  return fail(ErrorKind::bad_input,
              fmt::format("unknown part \"{}\": known parts are {}", name, fmt::join(names, ", ")));
}

}  // namespace assay
