// The porting contract: what the firmware needs of a platform. One implementation per clock and
// UART family in targets/port/, one over pipes for the `host` target. All calls from one thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay::port {

/// Clocks, UART, cycle counter. Every wait is bounded: a crystal that does not start leaves the
/// part on its internal oscillator, and core_clock_hz() says so.
void initialize();

/// How many bytes may arrive between two calls of receive() without one being lost: what the wire's
/// credits are sized from.
std::size_t receive_capacity();

/// Bytes lost since reset because the ring was full or the UART overran, modulo 2^32. 0 on the
/// host.
std::uint32_t receive_overruns();

/// Sleeps until receive() would return something; may return early, never misses a byte (on
/// Cortex-M: interrupts off, check the ring, WFI, interrupts on). No effect on the host target.
void wait_for_input();

/// The core clock that is actually running, in hertz.
std::uint32_t core_clock_hz();

/// Moves bytes that have arrived into `data`; returns how many (0: none). Never blocks. On the host
/// target it blocks until input comes and the process ends at end of input.
std::size_t receive(std::uint8_t* data, std::size_t capacity);

/// Sends all bytes; returns when they are handed to the UART.
void transmit(const std::uint8_t* data, std::size_t size);

/// Quiet window: masks and unmasks everything that could interrupt an inference, but for the cycle
/// counter's own interrupt, which begin_quiet() moves as far away as it can. begin_quiet() may be
/// repeated, to do so before each of several inferences.
void begin_quiet();
void end_quiet();

/// Free-running count of core cycles, modulo 2^32; 0 always when has_cycle_counter() is false.
bool has_cycle_counter();
std::uint32_t cycles();

/// The part's 96-bit unique id; returns its size in bytes, 0 on parts without one.
std::size_t unique_id(std::uint8_t* out, std::size_t capacity);

/// The linker's build-id note; returns its size in bytes.
std::size_t build_id(std::uint8_t* out, std::size_t capacity);

/// Deepest use of the stack since reset, in bytes, from the painted pattern: what was reached, and
/// what a receive interrupt at the deepest point of a quiet window would have; 0 when unknown
/// (host).
std::uint32_t stack_high_water();

/// Most memory this process has had resident, in KiB; 0 when unknown. Without an operating system
/// there is no such figure, and no code for it.
#if defined(__linux__)
std::uint32_t peak_resident_kib();
#else
constexpr std::uint32_t peak_resident_kib() {
  return 0;
}
#endif

/// Executed-instruction markers around one inference: instructions without effect that a virtual
/// board and a QEMU plugin recognize. The count lies strictly between the two.
inline __attribute__((always_inline)) void mark_begin() {
#if defined(__arm__)
  asm volatile("mov r11, r11" ::: "memory");
#elif defined(__aarch64__)
  asm volatile("mov x11, x11" ::: "memory");
#endif
}
inline __attribute__((always_inline)) void mark_end() {
#if defined(__arm__)
  asm volatile("mov r12, r12" ::: "memory");
#elif defined(__aarch64__)
  asm volatile("mov x12, x12" ::: "memory");
#endif
}

}  // namespace assay::port
