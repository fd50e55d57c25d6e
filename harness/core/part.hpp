// Chips as data: a Core (instruction set, compiler flags, cycle costs) and a Part (memory, clocks,
// UARTs, flash controller, supply), read from targets/parts/. A new chip is one JSON file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/json.hpp"
#include "harness/core/supply_mode.hpp"
#include "harness/core/units.hpp"

namespace assay {

/// A value and the document it was read from ("DS8626 rev 9, table 23").
template <class T>
struct Sourced {
  T value{};
  std::string source;
};

/// How programs for a core under Linux are made, and run where there is no board.
struct LinuxTools {
  std::string compiler;          ///< "aarch64-linux-gnu-g++"
  std::string compiler_package;  ///< Debian package that brings it
  std::string emulator;          ///< QEMU's user-mode emulator: "qemu-aarch64"
  std::string emulator_package;
  std::string emulated_core;  ///< its name for the core: "cortex-a72"
};

/// Supplies that a part or board may say it has, in millivolts: below, nothing runs; above, it is
/// no board's own supply.
constexpr std::uint32_t lowest_supply = 1000, highest_supply = 24'000;

/// A processor core, from targets/parts/cores/<name>.json: of a microcontroller, or of a board that
/// runs Linux, which has `linux_tools` and nothing of the engine and the cycle table.
struct Core {
  std::string name;          ///< "cortex-m4f"
  std::string architecture;  ///< "armv7e-m"
  bool dsp = false;          ///< has SMLAD and friends
  bool neon = false;         ///< has AArch64's Advanced SIMD
  bool fpu = false;
  std::vector<std::string> compile_flags;  ///< {"-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", ...}
  std::optional<LinuxTools> linux_tools;
  std::string engine_model;              ///< core the virtual board runs it on: "cortex-m4"
  std::string cycle_counter;             ///< "dwt" or "systick"
  std::string cycle_model;               ///< version of rules and costs, e.g. "m4-2"
  std::optional<double> cycle_band_pct;  ///< promised at zero wait states; absent: uncalibrated
  std::optional<double> cycle_band_layer_pct;  ///< of one layer by itself, where that is wider
  std::string cycle_evidence;                  ///< how far the modelled cycles were checked
  std::map<std::string, double> cycles;        ///< the model's costs; keys checked by the board
  std::string source;
};

struct MemoryRegion {
  std::string name;    ///< "FLASH", "RAM", "CCM": the linker's region name
  bool flash = false;  ///< program memory, otherwise RAM
  std::uint32_t base = 0;
  Bytes size;
  std::string source;
};

/// A core beside the one that firmware is for, which starts by itself at reset. Every image holds
/// it in a loop (targets/port/second_core.cpp).
struct SecondCore {
  std::string title;  ///< "Cortex-M4"
  std::string flash;  ///< region at whose base it boots; nothing else of the image lies there
  std::string stack;  ///< RAM region it sees at the same addresses, at whose end its stack begins
  std::string source;
};

/// A UART block of the chip.
struct Uart {
  std::string name;    ///< "USART1"
  std::string driver;  ///< registers: "stm32-usart-v1" (F1/F2/F4), "stm32-usart-v2", "stm32-lpuart"
  std::uint32_t base = 0;
  int interrupt = 0;  ///< IRQ number
  std::string source;
};

/// The first-level caches of the core.
struct Caches {
  Bytes instruction;
  Bytes data;
  std::string source;
};

/// What the flash adds to the cycles of the core.
struct FlashTiming {
  struct Range {
    Hertz up_to;                    ///< of the core clock
    std::uint32_t wait_states = 0;  ///< in cycles of the core, whatever clock the flash has
  };
  /// Other memory behind the same lines as flash.
  struct SharedMemory {
    std::uint32_t base = 0;
    Bytes size;
    std::uint32_t miss_cycles = 0;
    std::string source;
  };
  /// A buffer of lines between flash and the core's data port: a data cache, or an accelerator's.
  struct DataLines {
    std::uint32_t lines = 0;
    std::uint32_t line_bytes = 0;   ///< a power of two
    std::uint32_t fill_bytes = 0;   ///< of a line that a miss brings, a power of two; 0: all of it
    std::uint32_t ways = 0;         ///< lines a line may be in; 0: any of them
    std::uint32_t miss_cycles = 0;  ///< of a miss, beyond the wait states
    std::vector<SharedMemory> shared;
    std::string source;
  };
  /// Lines of code that the flash keeps, each what one access reads.
  struct CodeLines {
    std::uint32_t line_bytes = 0;  ///< a power of two
    std::uint32_t kept = 0;        ///< besides the one the core reads from and the next one
    std::string source;
  };

  std::vector<Range> wait_states;                ///< rising clocks
  bool prefetch = false;                         ///< flash reads ahead of the core
  std::optional<Sourced<double>> code_slowdown;  ///< share of cycles more, per wait state, of code
  std::optional<DataLines> data_lines;           ///< absent: every read of data waits
  std::optional<CodeLines> code_lines;           ///< absent: code comes in words, none is kept
  std::optional<double> band_pct;  ///< promised with wait states; absent: uncalibrated
  std::optional<double> band_layer_pct;
  std::string evidence;
  std::string source;

  /// Wait states at a core clock; above the last range those of the last.
  std::uint32_t wait_states_at(Hertz clock) const;
};

/// A chip, from targets/parts/<name>.json: a microcontroller, or, when its core runs Linux, the
/// computer around it, which has one RAM region, clock, supply and price, and nothing else of this.
struct Part {
  std::string name;   ///< "stm32f405"
  std::string title;  ///< "STM32F405RG"
  Core core;
  std::vector<MemoryRegion> memory;
  /// Where flash also appears, and where the core fetches its vectors at reset; absent: nowhere,
  /// and the vectors come from flash itself. A file without it means 0, unless memory lies there.
  std::optional<std::uint32_t> flash_alias;
  std::optional<Caches> caches;           ///< absent: none
  std::optional<SecondCore> second_core;  ///< absent: none, or one that stands still after reset
  std::vector<Uart> uarts;
  std::string clock_driver;  ///< RCC layout and set-up code: "stm32f4", "stm32f0"
  Sourced<Hertz> max_clock;
  std::string flash_controller;  ///< "stm32f4", "stm32f0": the virtual board's model of it
  std::optional<FlashTiming> flash_timing;  ///< absent: not modelled, zero wait states
  std::uint32_t flash_size_register = 0;
  std::optional<std::uint32_t> unique_id;  ///< address of the 96-bit id; absent on parts without
  std::uint32_t debug_idcode = 0;          ///< DBGMCU_IDCODE value
  std::uint32_t debug_idcode_address = 0;
  std::uint32_t debug_port_id = 0;  ///< SWD DPIDR value
  std::uint32_t cpuid = 0;
  std::string openocd_target;        ///< "target/stm32f4x.cfg"
  std::vector<std::string> aliases;  ///< pyOCD and ordering names
  Sourced<Millivolts> supply;
  /// Ways to make the core's voltage that firmware chooses among; empty on parts without a choice.
  std::vector<SupplyMode> supply_modes;
  std::optional<Sourced<MicroampsPerMegahertz>> run_current;
  std::optional<Sourced<double>> price_usd;

  /// The region of that name, or nullptr.
  const MemoryRegion* region(std::string_view name) const;
  bool runs_linux() const { return core.linux_tools.has_value(); }
  const MemoryRegion& flash() const;  ///< the first flash region, the program's; not under Linux
  Bytes flash_size() const;           ///< of all flash regions, which lie side by side
  const MemoryRegion& ram() const;    ///< the first RAM region: stack, static data and arena
};

/// The supply modes in an array of words (absent: none).
std::vector<SupplyMode> read_supply_modes(JsonObject& object, const std::string& key);

/// Reads targets/parts/<name>.json (or the part one of whose aliases is `name`) and its core.
/// Errors: bad_input naming the part and listing the known ones, or the path of a bad field.
Result<Part> load_part(const std::string& name);
Result<Part> parse_part(const Json& json, const std::string& source);
Result<Core> load_core(const std::string& name);
/// Names of every part file, sorted.
std::vector<std::string> known_parts();

}  // namespace assay
