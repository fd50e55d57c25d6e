// The contract between generated code and kernels. For every layer the generator emits a struct L
// of compile-time facts and constants and calls a kernel as `kernel<L>(in, out, scratch)`.
//
// Members every L has:
//   int in_height, in_width, in_channels, out_height, out_width, out_channels
//   int kernel_height, kernel_width, stride_height, stride_width, pad_top, pad_left
//   int accumulator_shift, output_shift          P and R of ARITHMETIC.md
//   std::int8_t input_zero                       what padding holds
//   std::int8_t clamp_min, clamp_max             fused activation
// and the constant arrays its kernel's row in targets/pack/ asks for; the reference kernels read
//   std::int8_t weights[]                        layout of IntegerLayer::weights
//   std::int32_t bias[], multiplier[]            b' and m
//
// Tensors are NHWC int8; `in` and `out` are 4-byte aligned, `scratch` 8-byte aligned. Freestanding
// C++17: no heap, no exceptions, no RTTI, no floating point.
#pragma once

#include <cstddef>
#include <cstdint>
