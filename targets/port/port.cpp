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
// And the memory of the receive ring.
extern "C" std::uint8_t assay_ring_begin[];
extern "C" std::uint8_t assay_ring_end[];
// And a table of begin and end of what is to be cleared in other banks of RAM.
extern "C" std::uint32_t* const assay_far_begin[];
extern "C" std::uint32_t* const assay_far_end[];

namespace assay::port {
namespace {

constexpr std::uint32_t nvic_iser = 0xE000E100;
constexpr std::uint32_t nvic_icer = 0xE000E180;
constexpr std::uint32_t nvic_ispr = 0xE000E200;
constexpr std::size_t unique_id_bytes = 12;

Clocks clocks;
ByteRing received;
volatile std::uint32_t overruns = 0;
std::uint32_t interrupt_stack = 0;  // bytes that one receive interrupt takes
std::uint32_t stack_mark = 0;       // bytes, of what has been painted over since

std::uint32_t uart_word() {
  return 4 * (board_config.uart_interrupt / 32);
}
std::uint32_t uart_bit() {
  return 1u << (board_config.uart_interrupt % 32);
}

std::size_t ring_size() {
  return static_cast<std::size_t>(assay_ring_end - assay_ring_begin);
}

/// Clears what lies in banks whose clock may have been off at reset.
void clear_far_memory() {
  for (std::uint32_t* const* range = assay_far_begin; range != assay_far_end; range += 2)
    for (std::uint32_t* word = range[0]; word != range[1]; ++word)
      *word = 0;
}

/// Bytes of the stack that have lost their paint.
std::uint32_t painted_mark() {
  const volatile std::uint32_t* word = assay_stack_bottom;
  while (word < assay_stack_top && *word == stack_paint)
    ++word;
  return static_cast<std::uint32_t>(assay_stack_top - word) * sizeof(std::uint32_t);
}

void raise_stack_mark(std::uint32_t mark) {
  if (mark > stack_mark) stack_mark = mark;
}

/// Takes one receive interrupt here, where nothing below has been used since it was painted.
std::uint32_t measure_interrupt_stack() {
  const std::uint32_t* here;
  asm volatile("mov %0, sp" : "=r"(here));
  paint_stack();
  reg(nvic_ispr + uart_word()) = uart_bit();
  asm volatile("dsb\n isb" ::: "memory");
  return painted_mark() - static_cast<std::uint32_t>(assay_stack_top - here) * sizeof *here;
}

}  // namespace

extern "C" void uart_interrupt() {
  std::uint8_t byte = 0;
  bool overrun = false;
  while (board_config.uart->take(board_config.uart_base, byte, overrun))
    if (!received.push(byte) || overrun) overruns = overruns + 1;
  if (overrun) overruns = overruns + 1;
}

std::size_t receive_capacity() {
  return ring_size() - 1;
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
  received.adopt(assay_ring_begin, ring_size());
  clocks = board_config.start(board_config);
  clear_far_memory();
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
  const bool quiet_already = (reg(nvic_iser + uart_word()) & uart_bit()) == 0;
  if (!quiet_already) {
    raise_stack_mark(painted_mark());
    interrupt_stack = measure_interrupt_stack();
    reg(nvic_icer + uart_word()) = uart_bit();
    paint_stack();
  }
  postpone_counter_interrupt();
}

// Interrupts strike at chance depths, and seldom at the deepest. In the quiet window none does, so
// that its depth, always the same, and an interrupt's add up to what chance may reach.
void end_quiet() {
  const std::uint32_t aligned = (painted_mark() + 7) & ~7u;  // as exception entry aligns
  raise_stack_mark(aligned + interrupt_stack);
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
  raise_stack_mark(painted_mark());
  return stack_mark;
}

}  // namespace assay::port
