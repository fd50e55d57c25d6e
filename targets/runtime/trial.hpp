// The device's side of a trial: a firmware in which every kernel that may run a layer is called on
// its own, between the instruction markers, on inputs both sides can make. A trial answers a sample
// (the number of an entry, 4 bytes, little endian) with the checksum of that entry's outputs (4
// bytes). Freestanding C++17; fill() and checksum() run on the host, too. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "targets/port/port.hpp"

namespace assay::trial {

/// One kernel on one layer, whose inputs begin at the arena's start.
struct Entry {
  void (*call)();             ///< the kernel, with its places in the arena
  std::uint32_t input_bytes;  ///< of all inputs, with the gaps between them
  bool input_is_float;        ///< float32 elements; else int8
  std::uint32_t output;       ///< offset in bytes
  std::uint32_t output_bytes;
};

constexpr std::size_t request_bytes = 4;
constexpr std::size_t answer_bytes = 4;

/// The inputs of every entry: pseudo-random bytes that reach all of int8, always the same. The
/// generator is Numerical Recipes' linear congruential one.
inline void fill(std::int8_t* to, std::uint32_t bytes) {
  std::uint32_t state = 12345;
  for (std::uint32_t i = 0; i < bytes; ++i) {
    state = state * 1664525u + 1013904223u;
    to[i] = static_cast<std::int8_t>(state >> 24);
  }
}

/// The same for float32 elements: multiples of 2^-23 in [-1, 1).
inline void fill_floats(std::int8_t* to, std::uint32_t bytes) {
  std::uint32_t state = 12345;
  for (std::uint32_t i = 0; i < bytes / sizeof(float); ++i) {
    state = state * 1664525u + 1013904223u;
    const auto steps = static_cast<std::int32_t>(state) / 256;
    const float value = static_cast<float>(steps) * (1.0f / (1 << 23));
    std::memcpy(to + i * sizeof value, &value, sizeof value);
  }
}

/// FNV-1a, 32 bits.
inline std::uint32_t checksum(const std::int8_t* data, std::uint32_t bytes) {
  std::uint32_t hash = 2166136261u;
  for (std::uint32_t i = 0; i < bytes; ++i)
    hash = (hash ^ static_cast<std::uint8_t>(data[i])) * 16777619u;
  return hash;
}

/// Runs an entry, its call alone between the markers and nothing interrupting it.
inline std::uint32_t run(const Entry& entry, std::int8_t* arena) {
  if (entry.input_is_float)
    fill_floats(arena, entry.input_bytes);
  else
    fill(arena, entry.input_bytes);
  // Hidden from the compiler, which would take a table of one entry apart and count another call.
  auto* call = entry.call;
  asm volatile("" : "+r"(call));
  port::begin_quiet();
  port::mark_begin();
  call();
  port::mark_end();
  port::end_quiet();
  return checksum(arena + entry.output, entry.output_bytes);
}

/// Serves a request; one for no entry is answered with 0.
inline void serve(const Entry* entries, std::uint32_t count, std::int8_t* arena,
                  const std::int8_t* request, std::int8_t* answer) {
  std::uint32_t number = 0;
  for (std::size_t i = request_bytes; i-- > 0;)
    number = number << 8 | static_cast<std::uint8_t>(request[i]);
  const std::uint32_t sum = number < count ? run(entries[number], arena) : 0;
  for (std::size_t i = 0; i < answer_bytes; ++i)
    answer[i] = static_cast<std::int8_t>(sum >> 8 * i);
}

}  // namespace assay::trial
