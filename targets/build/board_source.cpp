#include "targets/build/board_source.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>
#include <string_view>

#include "targets/port/pll.hpp"
#include "targets/port/pll_l4.hpp"
#include "targets/port/stm32h7_clocks.hpp"

namespace assay {
namespace {

/// A clock driver of targets/port/ and what its hardware can do.
struct ClockFamily {
  std::string_view name;
  std::string_view start_function;
  std::uint32_t internal_hz;
  bool (*reaches)(std::uint32_t crystal_hz, std::uint32_t wanted_hz);  ///< crystal 0: internal
  std::uint32_t (*uart_hz)(std::uint32_t core_hz, std::uint32_t uart_base);
};

constexpr const port::Stm32h7Line& h74x = port::stm32h74x;
constexpr const port::Stm32h7Line& h7a3 = port::stm32h7a3;

template <const port::Stm32h7Line& Line>
bool stm32h7_reaches(std::uint32_t crystal, std::uint32_t wanted) {
  const std::uint32_t source = crystal ? crystal : port::stm32h7_internal_hz;
  return port::choose_scale(Line, wanted) && port::choose_pll_stm32h7(Line, source, wanted).valid;
}
template <const port::Stm32h7Line& Line>
std::uint32_t stm32h7_uart_hz(std::uint32_t core_hz, std::uint32_t) {
  return port::uart_hz_stm32h7(Line, core_hz);
}

std::uint32_t undivided(std::uint32_t core_hz, std::uint32_t) {
  return core_hz;
}

/// Whether a PLL of the L4's form makes a clock, from the crystal or from HSI16.
template <const port::PllLimits& Limits>
bool reaches(std::uint32_t crystal_hz, std::uint32_t wanted_hz) {
  return port::choose_pll(Limits, crystal_hz ? crystal_hz : port::hsi16_hz, wanted_hz).valid;
}

constexpr std::array clock_families{
    ClockFamily{"stm32f4", "start_stm32f4", port::stm32f4_internal_hz,
                [](std::uint32_t crystal, std::uint32_t wanted) {
                  const std::uint32_t source = crystal ? crystal : port::stm32f4_internal_hz;
                  return port::choose_pll_stm32f4(source, wanted).valid;
                },
                port::uart_hz_stm32f4},
    ClockFamily{"stm32f7", "start_stm32f7", port::stm32f4_internal_hz,
                [](std::uint32_t crystal, std::uint32_t wanted) {
                  const std::uint32_t source = crystal ? crystal : port::stm32f4_internal_hz;
                  return port::choose_pll_stm32f4(source, wanted).valid;
                },
                port::uart_hz_stm32f7},
    ClockFamily{"stm32h7", "start_stm32h7", port::stm32h7_internal_hz, stm32h7_reaches<h74x>,
                stm32h7_uart_hz<h74x>},
    ClockFamily{"stm32h7a3", "start_stm32h7a3", port::stm32h7_internal_hz, stm32h7_reaches<h7a3>,
                stm32h7_uart_hz<h7a3>},
    ClockFamily{"stm32f0", "start_stm32f0", port::stm32f0_internal_hz,
                [](std::uint32_t crystal, std::uint32_t wanted) {
                  if (crystal) return port::choose_pll_stm32f0(crystal, wanted).valid;
                  // The internal oscillator enters the PLL halved and undivided.
                  const auto pll = port::choose_pll_stm32f0(port::stm32f0_internal_hz / 2, wanted);
                  return pll.valid && pll.prediv == 1;
                },
                undivided},
    ClockFamily{"stm32l4", "start_stm32l4", port::hsi16_hz, reaches<port::pll_stm32l4>, undivided},
    ClockFamily{"stm32l4plus", "start_stm32l4plus", port::hsi16_hz, reaches<port::pll_stm32l4plus>,
                undivided},
    ClockFamily{"stm32g0", "start_stm32g0", port::hsi16_hz, reaches<port::pll_stm32g0>, undivided},
    ClockFamily{"stm32u5", "start_stm32u5", port::hsi16_hz, reaches<port::pll_stm32u5>, undivided}};

struct UartRow {
  std::string_view name;
  std::string_view driver;
  std::uint32_t (*actual_baud)(std::uint32_t uart_hz, std::uint32_t baud);
};

std::uint32_t usart_baud(std::uint32_t uart_hz, std::uint32_t baud) {
  return port::choose_baud(uart_hz, baud).actual_baud;
}

constexpr std::array uart_drivers{
    UartRow{"stm32-usart-v1", "stm32_usart_v1", usart_baud},
    UartRow{"stm32-usart-v2", "stm32_usart_v2", usart_baud},
    UartRow{"stm32-lpuart", "stm32_lpuart", port::lpuart_actual_baud}};

template <class Rows>
auto find_row(const Rows& rows, std::string_view name) -> const typename Rows::value_type* {
  for (const auto& row : rows)
    if (row.name == name) return &row;
  return nullptr;
}

Status check_clock(const BoardType& board, const ClockFamily& family, std::uint32_t clock) {
  if (clock > board.part.max_clock.value.count())
    return fail(ErrorKind::bad_input,
                fmt::format("{} cannot run at {} Hz: {} allows at most {} Hz", board.name, clock,
                            board.part.title, board.part.max_clock.value.count()));
  const auto crystal = static_cast<std::uint32_t>(board.crystal ? board.crystal->count() : 0);
  const std::uint32_t source = crystal ? crystal : family.internal_hz;
  if (clock != source && !family.reaches(crystal, clock))
    return fail(
        ErrorKind::bad_input,
        fmt::format("{} cannot run at {} Hz: no PLL setting makes it from the {} Hz {}; "
                    "choose another clock",
                    board.name, clock, source, crystal ? "crystal" : "internal oscillator"));
  return {};
}

Status check_baud(const BoardType& board, const UartRow& driver, std::uint32_t uart_hz) {
  const double wanted = board.baud.count();
  const double actual = driver.actual_baud(uart_hz, board.baud.count());
  if (std::abs(actual / wanted - 1) > 0.02)
    return fail(
        ErrorKind::bad_input,
        fmt::format("{} of {} cannot make {} baud from {} Hz: the nearest is {:.0f}; choose "
                    "another clock or baud",
                    board.uart, board.name, board.baud.count(), uart_hz, actual));
  return {};
}

std::string_view supply_word(const std::optional<SupplyMode>& mode) {
  if (!mode) return "fixed";
  switch (*mode) {
    case SupplyMode::ldo:
      return "ldo";
    case SupplyMode::smps:
      return "smps";
    case SupplyMode::smps_1v8_ldo:
      return "smps_1v8_ldo";
    case SupplyMode::smps_2v5_ldo:
      return "smps_2v5_ldo";
    case SupplyMode::external:
      return "external";
  }
  return "fixed";
}

std::string pin_text(const Pin& pin) {
  return fmt::format("{{{}, {}, {}}}", pin.port - 'A', pin.number, pin.function);
}

constexpr std::string_view source_text = R"(// {title} at {clock} Hz.
#include "targets/port/board_config.hpp"
#include "targets/port/startup.hpp"

namespace assay::port {{

extern const VectorTable<{interrupt}> vector_table;
[[gnu::section(".vectors"), gnu::used]] constexpr VectorTable<{interrupt}> vector_table;

const BoardConfig board_config{{
    {crystal},     // crystal_hz
    {clock},       // clock_hz
    {supply},      // supply_mv
    {uart_base:#x},  // uart_base
    {interrupt},   // uart_interrupt
    {baud},        // baud
    {tx},          // uart_tx
    {rx},          // uart_rx
    {unique_id:#x},  // unique_id
    {start},
    &{uart},
    {clock_input},  // clock_input
    {caches},  // caches
    Supply::{supply_mode},
}};

}}  // namespace assay::port
)";

}  // namespace

Result<std::string> board_source(const BoardType& board, Hertz clock) {
  const Uart& uart = board.uart_block();
  const auto* family = find_row(clock_families, board.part.clock_driver);
  const auto* driver = find_row(uart_drivers, uart.driver);
  if (!family)
    return fail(
        ErrorKind::bad_input,
        fmt::format("part {} asks for the clock driver \"{}\", which targets/port/ does not "
                    "have",
                    board.part.name, board.part.clock_driver));
  if (!driver)
    return fail(ErrorKind::bad_input,
                fmt::format("part {} asks for the UART driver \"{}\", which targets/port/ does not "
                            "have",
                            board.part.name, uart.driver));
  ASSAY_CHECK(check_supply(board));
  const auto core_hz = static_cast<std::uint32_t>(clock.count());
  ASSAY_CHECK(check_clock(board, *family, core_hz));
  ASSAY_CHECK(check_baud(board, *driver, family->uart_hz(core_hz, uart.base)));
  return fmt::format(
      source_text, fmt::arg("title", board.title), fmt::arg("clock", core_hz),
      fmt::arg("crystal", board.crystal ? board.crystal->count() : 0),
      fmt::arg("supply", board.supply.count()), fmt::arg("uart_base", uart.base),
      fmt::arg("interrupt", uart.interrupt), fmt::arg("baud", board.baud.count()),
      fmt::arg("tx", pin_text(board.uart_tx)), fmt::arg("rx", pin_text(board.uart_rx)),
      fmt::arg("unique_id", board.part.unique_id.value_or(0)),
      fmt::arg("start", family->start_function), fmt::arg("uart", driver->driver),
      fmt::arg("clock_input", board.clock_input), fmt::arg("caches", board.part.caches.has_value()),
      fmt::arg("supply_mode", supply_word(board.supply_mode)));
}

}  // namespace assay
