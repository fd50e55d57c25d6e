// IEEE 754 binary16 as its bit pattern. Pure functions, thread-safe.
#pragma once

#include <cstdint>

namespace assay::onnx {

/// The largest finite float16.
inline constexpr float largest_float16 = 65504;

/// The nearest float16, ties to even; infinity from 65520 on; a NaN stays one.
std::uint16_t to_float16(float value);
/// Exact: every float16 is a float.
float from_float16(std::uint16_t bits);

}  // namespace assay::onnx
