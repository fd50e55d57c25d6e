// A virtual board in this process with a test firmware already in its flash, and the host's end of
// its UART.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "boards/virtual/board.hpp"

namespace assay::test {

/// One of the board types the tests run on, and the suffix of firmware built for it.
struct BoardUnderTest {
  const char* type;
  const char* firmware_suffix;
};
constexpr BoardUnderTest f405{"olimex-stm32-h405", "f4"};
constexpr BoardUnderTest f030{"generic-stm32f030cc", "f0"};
constexpr BoardUnderTest l476{"nucleo-l476rg", "l4"};
constexpr BoardUnderTest l4r5{"nucleo-l4r5zi", "l4plus"};
constexpr BoardUnderTest g0b1{"nucleo-g0b1re", "g0"};
constexpr BoardUnderTest u575{"nucleo-u575zi-q", "u5"};
constexpr BoardUnderTest f746{"nucleo-f746zg", "m7_usart3"};
constexpr BoardUnderTest f746_disco{"stm32f746g-disco", "m7_usart1"};
constexpr BoardUnderTest f779{"stm32f779i-eval", "m7_usart1"};
constexpr BoardUnderTest h743{"nucleo-h743zi2", "m7_usart3"};
constexpr BoardUnderTest h747{"stm32h747i-disco", "m7_usart1"};
constexpr BoardUnderTest h7a3{"nucleo-h7a3zi-q", "m7_usart3"};

/// Path of a firmware of firmware/, e.g. firmware_path("echo", f405, "elf").
std::string firmware_path(const std::string& name, const BoardUnderTest& board,
                          const std::string& extension);

/// The host's end of a pty, raw. Reading and writing have a limit of ten seconds.
class Terminal {
 public:
  explicit Terminal(const std::string& path);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void write(const std::string& text);
  /// Reads until `end` was seen (and returns everything up to it), or the limit passed.
  std::string read_until(const std::string& end);
  /// Reads exactly `size` bytes, fewer when the limit passed.
  std::string read_exactly(std::size_t size);
  /// Whatever comes within `time`.
  std::string read_for(std::chrono::milliseconds time);

 private:
  bool fill(std::chrono::milliseconds limit);
  int descriptor_;
  std::string received_;
};

/// A powered board of `type`, whose flash holds the firmware, just reset.
std::unique_ptr<virtual_board::Board> start_board(const BoardUnderTest& board,
                                                  const std::string& firmware);

}  // namespace assay::test
