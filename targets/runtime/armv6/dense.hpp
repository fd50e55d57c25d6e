// Dense layer for Armv6 cores: the input is widened once, then four channels are summed at a time.
// L has the members conv.hpp names, bias and multiplier filled up to blocks of four channels.
#pragma once

#include "targets/runtime/armv6/products.hpp"

namespace assay::kernels {

namespace armv6 {

template <class L>
inline constexpr WindowLayout dense_layout{1, L::in_height* L::in_width* L::in_channels};

/// The whole input, widened.
template <class L>
struct DenseScratch {
  std::uint32_t words[2 * dense_layout<L>.steps()];
  std::int8_t last[step_inputs];
};

/// With the words of all pairs of up to 16 values.
template <class L>
struct NumberedScratch {
  std::uint32_t table[pair_table_words];
  DenseScratch<L> inputs;
};

/// The outputs of a block of channels, of their sums with b'. GCC keeps sums in registers only
/// where every index is a constant.
template <class L>
ASSAY_INLINE void put_block(const std::int32_t (&sums)[dense_channels], int first,
                            std::int8_t* out) {
#pragma GCC unroll 4
  for (int c = 0; c < dense_channels; ++c)
    if (L::out_channels % dense_channels == 0 || first + c < L::out_channels)
      out[first + c] = dsp::requantize<L>(sums[c], L::multiplier[first + c]);
}

/// What fills up the last step is zero.
template <class L>
ASSAY_INLINE void widen_inputs(const std::int8_t* in, DenseScratch<L>& scratch) {
  constexpr WindowLayout layout = dense_layout<L>;
  constexpr int whole = layout.row / step_inputs;
  for (int step = 0; step < whole; ++step)
    widen(in + step * step_inputs, scratch.words[2 * step], scratch.words[2 * step + 1]);
  if constexpr (whole < layout.steps()) {
    for (std::int8_t& one : scratch.last)
      one = 0;
    __builtin_memcpy(scratch.last, in + whole * step_inputs, layout.row - whole * step_inputs);
    widen(scratch.last, scratch.words[2 * whole], scratch.words[2 * whole + 1]);
  }
}

// Four weights of a channel.
#define ASSAY_CHANNEL(sum, word) \
  "sxtb16 r10, " word            \
  "\n\t"                         \
  "sxtb16 " word ", " word       \
  ", ror #8\n\t"                 \
  "smlad " sum ", r10, r4, " sum \
  "\n\t"                         \
  "smlad " sum ", " word ", r5, " sum "\n\t"

/// Adds all steps of four channels: eighteen instructions for sixteen multiply-accumulates.
template <int steps>
ASSAY_INLINE void add_dense_steps(const std::uint32_t* inputs, const std::uint32_t* filters,
                                  std::int32_t (&sums)[dense_channels]) {
  constexpr int unroll = unroll_of(steps);
  const std::uint32_t* const end = inputs + 2 * steps;
  std::int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  do {
    asm volatile(
        ".rept %c[unroll]\n\t"
        "ldmia %[inputs]!, {r4, r5}\n\t"
        "ldmia %[filters]!, {r6, r7, r8, r9}\n\t"  //
        ASSAY_CHANNEL("%[a]", "r6") ASSAY_CHANNEL("%[b]", "r7") ASSAY_CHANNEL("%[c]", "r8")
            ASSAY_CHANNEL("%[d]", "r9") ".endr" ASSAY_LINES_48 ASSAY_LINES_48
        : [inputs] "+r"(inputs), [filters] "+r"(filters), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c),
          [d] "+r"(d)
        : [unroll] "i"(unroll)
        : "r4", "r5", "r6", "r7", "r8", "r9", "r10", "memory");
  } while (inputs != end);
  sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
}

#undef ASSAY_CHANNEL

}  // namespace armv6

template <class L>
void dense_armv6(const std::int8_t* in, std::int8_t* out, void* memory) {
  using namespace armv6;
  constexpr WindowLayout layout = dense_layout<L>;
  auto& scratch = *static_cast<DenseScratch<L>*>(memory);
  widen_inputs<L>(in, scratch);
  const std::uint32_t* filters = L::filters;
  for (int first = 0; first < L::out_channels; first += dense_channels) {
    std::int32_t sums[dense_channels];
#pragma GCC unroll 4
    for (int c = 0; c < dense_channels; ++c)
      sums[c] = L::bias[first + c];
    add_dense_steps<layout.steps()>(scratch.words, filters, sums);
    filters += dense_channels * layout.steps();
    put_block<L>(sums, first, out);
  }
}

}  // namespace assay::kernels
