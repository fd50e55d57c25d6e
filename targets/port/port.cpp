// The porting contract on microcontrollers: a clock driver, a UART driver and a cycle counter
// behind port.hpp, chosen by board_config.
#include "targets/port/port.hpp"

#include "targets/port/board_config.hpp"
#include "targets/port/byte_ring.hpp"
#include "targets/port/cycle_counter.hpp"
#include "targets/port/registers.hpp"
#include "targets/port/startup.hpp"

// From the linker script: the note of --build-id, header included.
extern "C" const std::uint8_t assay_build_id_begin[];
extern "C" const std::uint8_t assay_build_id_end[];

namespace assay::port {
namespace {

constexpr std::uint32_t nvic_iser = 0xE000E100;
constexpr std::uint32_t nvic_icer = 0xE000E180;
constexpr std::size_t unique_id_bytes = 12;

Clocks clocks;
ByteRing received;
volatile std::uint32_t overruns = 0;

std::uint32_t uart_word() {
  return 4 * (board_config.uart_interrupt / 32);
}
std::uint32_t uart_bit() {
  return 1u << (board_config.uart_interrupt % 32);
}

}  // namespace

extern "C" void uart_interrupt() {
  std::uint8_t byte = 0;
  bool overrun = false;
  while (board_config.uart->take(board_config.uart_base, byte, overrun))
    if (!received.push(byte) || overrun) overruns = overruns + 1;
  if (overrun) overruns = overruns + 1;
}

void set_receive_ring(std::uint8_t* storage, std::size_t size) {
  received.adopt(storage, size);
}

std::uint32_t receive_overruns() {
  return overruns;
}

void wait_for_input() {
  // A byte that arrives after the check leaves its interrupt pending, which ends WFI even while
  // interrupts are masked (Armv6-M B1.5.13, Armv7-M B1.5.18: WFI wake-up events).
  asm volatile("cpsid i" ::: "memory");
  if (received.empty()) asm volatile("wfi" ::: "memory");
  asm volatile("cpsie i" ::: "memory");
}

void initialize() {
  clocks = board_config.start(board_config);
  board_config.uart->open(board_config.uart_base, clocks.uart_hz, board_config.baud);
  reg(nvic_iser + uart_word()) = uart_bit();
  start_cycle_counter();
}

std::uint32_t core_clock_hz() {
  return clocks.core_hz;
}

std::size_t receive(std::uint8_t* data, std::size_t capacity) {
  return received.pop(data, capacity);
}

void transmit(const std::uint8_t* data, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i)
    board_config.uart->put(board_config.uart_base, data[i]);
}

void begin_quiet() {
  reg(nvic_icer + uart_word()) = uart_bit();
  postpone_counter_interrupt();
}

void end_quiet() {
  reg(nvic_iser + uart_word()) = uart_bit();
}

std::size_t unique_id(std::uint8_t* out, std::size_t capacity) {
  if (board_config.unique_id == 0 || capacity < unique_id_bytes) return 0;
  for (std::size_t i = 0; i < unique_id_bytes; ++i) {
    std::uint32_t word = 0;
    if (!probe_read(board_config.unique_id + (i & ~std::size_t{3}), &word)) return 0;
    out[i] = static_cast<std::uint8_t>(word >> (8 * (i % 4)));
  }
  return unique_id_bytes;
}

std::size_t build_id(std::uint8_t* out, std::size_t capacity) {
  constexpr std::size_t note_header = 16;  // three words and "GNU\0"
  const std::size_t note = static_cast<std::size_t>(assay_build_id_end - assay_build_id_begin);
  if (note <= note_header || capacity < note - note_header) return 0;
  for (std::size_t i = note_header; i < note; ++i)
    out[i - note_header] = assay_build_id_begin[i];
  return note - note_header;
}

std::uint32_t stack_high_water() {
  const volatile std::uint32_t* word = assay_stack_bottom;
  while (word < assay_stack_top && *word == stack_paint)
    ++word;
  return static_cast<std::uint32_t>(assay_stack_top - word) * sizeof(std::uint32_t);
}

}  // namespace assay::port
