// Strong types for the units assay speaks in. Time is std::chrono; everything else is a Quantity.
#pragma once

#include <compare>
#include <cstdint>

namespace assay {

/// A number with a unit. Quantities of one unit add, subtract and compare; nothing converts
/// silently.
template <class Tag, class Rep>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(Rep count) : count_(count) {}
  constexpr Rep count() const { return count_; }
  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity& operator+=(Quantity other) { return count_ += other.count_, *this; }
  constexpr Quantity& operator-=(Quantity other) { return count_ -= other.count_, *this; }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return a += b; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return a -= b; }

 private:
  Rep count_{};
};

using Bytes = Quantity<struct BytesTag, std::uint64_t>;
using Cycles = Quantity<struct CyclesTag, std::uint64_t>;
using Instructions = Quantity<struct InstructionsTag, std::uint64_t>;
using Macs = Quantity<struct MacsTag, std::uint64_t>;  ///< multiply-accumulate operations
using Hertz = Quantity<struct HertzTag, std::uint64_t>;
using Baud = Quantity<struct BaudTag, std::uint32_t>;
using Millivolts = Quantity<struct MillivoltsTag, std::uint32_t>;
using Microjoules = Quantity<struct MicrojoulesTag, double>;
using MicroampsPerMegahertz = Quantity<struct MicroampsPerMegahertzTag, double>;

}  // namespace assay
