#include "compress/onnx/float16.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace assay::onnx {
namespace {

constexpr std::uint16_t sign_bit = 0x8000;
constexpr std::uint16_t infinity = 0x7c00;
constexpr std::uint16_t quiet_nan = 0x7e00;
constexpr int mantissa_bits = 10;
constexpr int smallest_exponent = -14;  // below it numbers are subnormal, in steps of 2^-24

}  // namespace

std::uint16_t to_float16(float value) {
  const std::uint16_t sign = std::signbit(value) ? sign_bit : 0;
  if (std::isnan(value)) return sign | quiet_nan;
  const float magnitude = std::abs(value);
  if (magnitude >= 65520) return sign | infinity;
  if (magnitude == 0) return sign;
  const int exponent = std::max(std::ilogb(magnitude), smallest_exponent);
  // 1024 to 2048 steps for normal numbers. Scaling by a power of two is exact and nearbyint rounds
  // to even; 2048 steps are 1024 of the next exponent, which the sum below says by its carry.
  const auto steps =
      static_cast<std::uint32_t>(std::nearbyint(std::ldexp(magnitude, mantissa_bits - exponent)));
  const auto biased = static_cast<std::uint32_t>(exponent - smallest_exponent);
  return static_cast<std::uint16_t>(sign | ((biased << mantissa_bits) + steps));
}

float from_float16(std::uint16_t bits) {
  const int exponent = (bits & infinity) >> mantissa_bits;
  const int mantissa = bits & 0x3ff;
  const float sign = (bits & sign_bit) != 0 ? -1.0F : 1.0F;
  if (exponent == 31)
    return sign * (mantissa == 0 ? std::numeric_limits<float>::infinity()
                                 : std::numeric_limits<float>::quiet_NaN());
  if (exponent == 0) return sign * std::ldexp(float(mantissa), smallest_exponent - mantissa_bits);
  return sign * std::ldexp(float(mantissa + (1 << mantissa_bits)),
                           exponent - 1 + smallest_exponent - mantissa_bits);
}

}  // namespace assay::onnx
