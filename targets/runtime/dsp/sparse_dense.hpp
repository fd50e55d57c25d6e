// Dense layers with zeros among their weights, for cores with SMLAD. Each weight is used once, so
// that finding it costs as much as multiplying it: what is saved for certain is flash. See
// sparse_layout.hpp for the weights. L has, besides the members of layer.hpp:
//   std::int32_t channels[]    [channel]{b', m}
// and, for blocks and bitmaps,
//   std::int8_t stream[]       the non-zero weights of all channels
// or, for single weights,
//   std::uint32_t fours[]      {four weights, their distances}, first ones in the lowest bytes
//   std::uint16_t counts[]     fours of each channel
#pragma once

#include "targets/runtime/dsp/sparse_products.hpp"
#include "targets/runtime/dsp/sparse_window.hpp"

namespace assay::kernels {

namespace dsp {

template <class L>
inline constexpr int dense_inputs = L::in_height* L::in_width* L::in_channels;

/// Adds the blocks of a channel times `inputs`, expanded to eight bytes a block; returns what
/// follows them. Nine instructions for four multiply-accumulates.
ASSAY_INLINE const std::int8_t* add_dense_blocks(const std::int8_t* stream,
                                                 const std::uint32_t* inputs, std::int32_t& sum) {
  std::uint32_t even, odd, in_even, in_odd;
  // Of all distances only -1, the end, carries out of the address.
  asm volatile(
      "1:\n\t"
      ".rept 4\n\t"
      "ldrsb %[even], [%[stream]], #1\n\t"
      "adds %[inputs], %[inputs], %[even], lsl #3\n\t"
      "bcs 2f\n\t"
      "ldr %[odd], [%[stream]], #4\n\t"
      "ldrd %[in_even], %[in_odd], [%[inputs]]\n\t"
      "sxtb16 %[even], %[odd]\n\t"
      "sxtb16 %[odd], %[odd], ror #8\n\t"
      "smlad %[sum], %[even], %[in_even], %[sum]\n\t"
      "smlad %[sum], %[odd], %[in_odd], %[sum]\n\t"
      ".endr\n\t"
      "b 1b\n"
      "2:" ASSAY_LINES_48
      : [stream] "+r"(stream), [inputs] "+r"(inputs), [sum] "+r"(sum), [even] "=&r"(even),
        [odd] "=&r"(odd), [in_even] "=&r"(in_even), [in_odd] "=&r"(in_odd)
      :
      : "cc", "memory");
  return stream;
}

/// Adds `count` times four single weights, straight from the inputs; returns what follows them.
/// Nineteen instructions for four multiply-accumulates.
ASSAY_INLINE const std::uint32_t* add_fours(const std::uint32_t* fours, int count,
                                            const std::int8_t* inputs, std::int32_t& sum) {
  std::uint32_t even, odd, distances, a, b;
  asm volatile(
      "cbz %[count], 2f\n"
      "1:\n\t"
      "ldrd %[odd], %[distances], [%[fours]], #8\n\t"
      "subs %[count], %[count], #1\n\t"
      "sxtb16 %[even], %[odd]\n\t"
      "sxtb16 %[odd], %[odd], ror #8\n\t"
      "uxtab %[inputs], %[inputs], %[distances]\n\t"
      "ldrsb %[a], [%[inputs]]\n\t"
      "uxtab %[inputs], %[inputs], %[distances], ror #8\n\t"
      "ldrsb %[b], [%[inputs]]\n\t"
      "smlabb %[sum], %[even], %[a], %[sum]\n\t"
      "uxtab %[inputs], %[inputs], %[distances], ror #16\n\t"
      "ldrsb %[a], [%[inputs]]\n\t"
      "smlabb %[sum], %[odd], %[b], %[sum]\n\t"
      "uxtab %[inputs], %[inputs], %[distances], ror #24\n\t"
      "ldrsb %[b], [%[inputs]]\n\t"
      "smlatb %[sum], %[even], %[a], %[sum]\n\t"
      "smlatb %[sum], %[odd], %[b], %[sum]\n\t"
      "bne 1b\n"
      "2:"
      : [fours] "+r"(fours), [inputs] "+r"(inputs), [count] "+l"(count), [sum] "+r"(sum),
        [even] "=&r"(even), [odd] "=&r"(odd), [distances] "=&r"(distances), [a] "=&r"(a),
        [b] "=&r"(b)
      :
      : "cc", "memory");
  return fours;
}

/// Adds the weights of a run of inputs from `inputs` on, the topmost of `bits` first; returns what
/// follows them. Seven instructions for a multiply-accumulate.
ASSAY_INLINE const std::int8_t* add_marked_inputs(const std::int8_t* weights, std::uint32_t bits,
                                                  const std::int8_t* inputs, std::int32_t& sum) {
  std::uint32_t place, weight, input;
  asm volatile(
      "cbz %[bits], 2f\n"
      "1:\n\t"
      "clz %[place], %[bits]\n\t"
      "ldrsb %[weight], [%[weights]], #1\n\t"
      "ldrsb %[input], [%[inputs], %[place]]\n\t"
      "lsr %[place], %[top], %[place]\n\t"
      "bics %[bits], %[bits], %[place]\n\t"
      "smlabb %[sum], %[weight], %[input], %[sum]\n\t"
      "bne 1b\n"
      "2:"
      : [weights] "+r"(weights), [bits] "+l"(bits), [sum] "+r"(sum), [place] "=&r"(place),
        [weight] "=&r"(weight), [input] "=&r"(input)
      : [inputs] "r"(inputs), [top] "r"(0x80000000u)
      : "cc", "memory");
  return weights;
}

/// The runs of a bitmap.
template <int inputs>
ASSAY_INLINE const std::int8_t* add_dense_bitmap(const std::int8_t* stream, const std::int8_t* in,
                                                 std::int32_t& sum) {
  for (const std::int8_t* const end = in + inputs / bitmap_run * bitmap_run; in != end;
       in += bitmap_run) {
    const std::uint32_t bits = load_bits<bitmap_run>(stream);
    stream = add_marked_inputs(stream + bitmap_bytes(bitmap_run), bits, in, sum);
  }
  if constexpr (constexpr int left = inputs % bitmap_run; left > 0)
    stream = add_marked_inputs(stream + bitmap_bytes(left), load_bits<left>(stream), in, sum);
  return stream;
}

/// All channels; `add(channel, sum)` adds the products of one.
template <class L, class Add>
ASSAY_INLINE void for_each_channel(std::int8_t* out, Add add) {
  for (int channel = 0; channel < L::out_channels; ++channel) {
    std::int32_t sum = L::channels[2 * channel];
    add(channel, sum);
    out[channel] = requantize<L>(sum, L::channels[2 * channel + 1]);
  }
}

}  // namespace dsp

template <class L>
void dense_blocks_dsp(const std::int8_t* in, std::int8_t* out, void* memory) {
  auto* inputs = static_cast<std::uint32_t*>(memory);
  dsp::expand_column<dsp::dense_inputs<L>, 1>(in, inputs);
  const std::int8_t* stream = L::stream;
  dsp::for_each_channel<L>(
      out, [&](int, std::int32_t& sum) { stream = dsp::add_dense_blocks(stream, inputs, sum); });
}

template <class L>
void dense_unstructured_dsp(const std::int8_t* in, std::int8_t* out, void*) {
  const std::uint32_t* fours = L::fours;
  dsp::for_each_channel<L>(out, [&](int channel, std::int32_t& sum) {
    fours = dsp::add_fours(fours, L::counts[channel], in, sum);
  });
}

template <class L>
void dense_bitmap_dsp(const std::int8_t* in, std::int8_t* out, void*) {
  const std::int8_t* stream = L::stream;
  dsp::for_each_channel<L>(out, [&](int, std::int32_t& sum) {
    stream = dsp::add_dense_bitmap<dsp::dense_inputs<L>>(stream, in, sum);
  });
}

}  // namespace assay::kernels
