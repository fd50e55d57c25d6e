// The contract between generated code and kernels. For every layer the generator emits a struct L
// of compile-time facts and constants and calls a kernel as `kernel<L>(in, out, scratch)`.
//
// Members every L has:
//   int in_height, in_width, in_channels, out_height, out_width, out_channels
//   int kernel_height, kernel_width, stride_height, stride_width, pad_top, pad_left
//   int accumulator_shift, output_shift          P and R of ARITHMETIC.md
//   std::int8_t input_zero                       what padding holds
//   T clamp_min, clamp_max                       fused activation; T is the tensors' element
// and the constant arrays its kernel's row in targets/pack/ asks for; the reference kernels read
//   std::int8_t weights[]                        layout of IntegerLayer::weights
//   std::int32_t bias[], multiplier[]            b' and m; b' is std::int64_t where int16 tensors
//                                                have sums in 64 bits
//
// Layers over float32 tensors have, in place of what concerns integers,
//   float clamp_min, clamp_max                   fused activation, or infinities
//   float, std::uint16_t or std::int8_t weights[] (float32, float16, int8), float bias[], scale[]
//
// Tensors are NHWC int8, int16 or float32; `in` and `out` are 4-byte aligned, `scratch` 8-byte
// aligned. Freestanding C++17: no heap, no exceptions, no RTTI, and no floating point but in
// targets/runtime/ float/.
#pragma once

#include <cstddef>
#include <cstdint>
