// Device side of device_suite: runs one kernel on every input fill and prints what it wrote.
#pragma once

#include "targets/port/port.hpp"
#include "tests/support/bare_metal/bare_metal.hpp"

namespace device_suite {

inline constexpr std::uint8_t guard = 0x5a;
inline constexpr int guard_bytes = 16;

/// Bytes between two guards; what lies inside is as stale as scratch memory on a device.
template <int size>
struct Guarded {
  alignas(8) std::uint8_t before[guard_bytes];
  std::uint8_t inside[(size + 7) / 8 * 8 + guard_bytes];

  void fill() {
    for (auto& byte : before)
      byte = guard;
    for (auto& byte : inside)
      byte = guard;
  }
  bool intact() const {
    for (auto byte : before)
      if (byte != guard) return false;
    for (unsigned i = size; i < sizeof inside; ++i)
      if (inside[i] != guard) return false;
    return true;
  }
};

/// Linear congruential generator (Numerical Recipes), the same as input_values on the host.
inline std::int8_t input_value(int fill, std::uint32_t& state) {
  if (fill == 1) return -128;
  if (fill == 2) return 127;
  state = state * 1664525u + 1013904223u;
  return static_cast<std::int8_t>(state >> 24);
}

/// The same as input_bytes on the host.
inline float float_value(int fill, std::uint32_t& state) {
  if (fill == 1) return -3.1415927f;
  if (fill == 2) return 1e-39f;
  state = state * 1664525u + 1013904223u;
  return static_cast<float>(static_cast<std::int32_t>(state) / 256) * 0x1p-21f;
}

template <class Element>
Element value_of(int fill, std::uint32_t& state);
template <>
inline std::int8_t value_of<std::int8_t>(int fill, std::uint32_t& state) {
  return input_value(fill, state);
}
template <>
inline std::int16_t value_of<std::int16_t>(int fill, std::uint32_t& state) {
  if (fill != 0) return fill == 1 ? -32768 : 32767;
  state = state * 1664525u + 1013904223u;
  return static_cast<std::int16_t>(state >> 16);
}
template <>
inline float value_of<float>(int fill, std::uint32_t& state) {
  return float_value(fill, state);
}

template <class Element>
void fill_input(int fill, std::uint8_t* to, int bytes) {
  std::uint32_t state = 1;
  auto* elements = reinterpret_cast<Element*>(to);
  for (unsigned i = 0; i < bytes / sizeof(Element); ++i)
    elements[i] = value_of<Element>(fill, state);
}

template <class Element>
bool input_unchanged(int fill, const std::uint8_t* at, int bytes) {
  std::uint32_t state = 1;
  const auto* elements = reinterpret_cast<const Element*>(at);
  for (unsigned i = 0; i < bytes / sizeof(Element); ++i)
    if (elements[i] != value_of<Element>(fill, state)) return false;
  return true;
}

/// Runs one kernel on every fill. `out` may be `in`, large enough for both.
template <class Element, int input_size, int output_size, int in_bytes, int out_bytes,
          int scratch_size, class Call>
__attribute__((noinline)) void run_case(Guarded<in_bytes>& in, Guarded<out_bytes>& out,
                                        Guarded<scratch_size>& scratch, Call call) {
  for (int fill = 0; fill < 3; ++fill) {
    out.fill();
    in.fill();
    fill_input<Element>(fill, in.inside, input_size);
    scratch.fill();
    call();
    const bool in_place = static_cast<void*>(&in) == static_cast<void*>(&out);
    const bool good = in.intact() && out.intact() && scratch.intact() &&
                      (in_place || input_unchanged<Element>(fill, in.inside, input_size));
    bare_metal::print(good ? "intact " : "damaged ");
    bare_metal::print_hex(out.inside, output_size);
    bare_metal::print("\n");
  }
}

}  // namespace device_suite
