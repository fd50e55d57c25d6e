// What the board around a chip decides: crystal, UART pins, supply, clock. One JSON file a type, in
// boards/types/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/core/part.hpp"

namespace assay {

/// One pin and the alternate function that connects it: port 'A', number 9, function 7.
struct Pin {
  char port = 'A';
  int number = 0;
  int function = 0;
};

/// A kind of board, from boards/types/<name>.json. Crystal, UART, pins and baud are those of a
/// microcontroller; a board that runs Linux is spoken to over pipes and has none.
struct BoardType {
  std::string name;   ///< "olimex-stm32-h405"
  std::string title;  ///< "Olimex STM32-H405"
  Part part;
  std::vector<std::string> computers;  ///< under Linux: names of its models in the device tree
  std::optional<Hertz> crystal;        ///< absent: the part's internal oscillator
  bool clock_input = false;  ///< `crystal` is a finished clock signal on the oscillator's pin
  Hertz clock;               ///< core clock the firmware sets unless a cell asks for another;
                             ///< under Linux the nominal one
  std::string uart;          ///< name of one of the part's UARTs
  Pin uart_tx;
  Pin uart_rx;
  Baud baud;
  Millivolts supply;
  std::optional<SupplyMode> supply_mode;  ///< what firmware sets; absent on parts without a choice
  std::vector<SupplyMode> power_wiring;   ///< modes the board's power pins are wired for
  std::string external_memory;            ///< beside the chip, unused by firmware; empty: none
  bool default_for_part = false;          ///< stands for the part in `virtual:<part>`
  std::string source;

  const Uart& uart_block() const;
};

/// Asked before every build and every flashing: a supply mode that would cut the core off ends
/// here. Errors: bad_input naming the board, as check_supply_choice().
Status check_supply(const BoardType& type);

/// A core clock given in MHz. Errors: bad_input "expected ..." when it is not above 0 and at most
/// the part's maximum, or when the board's operating system sets the clock.
Result<Hertz> core_clock(const BoardType& type, double mhz);

/// Reads boards/types/<name>.json and its part. Errors: bad_input naming the type and listing the
/// known ones, or the path of a bad field (a UART the part lacks, a clock above the part's
/// maximum, a supply mode that would lock the part out).
Result<BoardType> load_board_type(const std::string& name);
/// The type of that name, else the default type of the part of that name (or alias).
Result<BoardType> find_board_type(const std::string& name_or_part);
/// Names of every type file, sorted.
std::vector<std::string> known_board_types();

}  // namespace assay
