// Dense layer with weights that are numbers of values for Armv6 cores: of up to 16 values, two
// weights are looked up at a time and multiplied at once; others are decoded for four channels, a
// few steps at a time. L has the members conv_packed.hpp names, bias and multiplier filled up to
// blocks of four channels.
#pragma once

#include "targets/runtime/armv6/dense.hpp"
#include "targets/runtime/armv6/pair_table.hpp"
#include "targets/runtime/armv6/widened_products.hpp"
#include "targets/runtime/dsp/unpack.hpp"

namespace assay::kernels {

namespace armv6 {

template <class L, class Decoder>
struct PackedDense {
  static constexpr int steps = dense_layout<L>.steps();
  static constexpr int pairs = dense_channels / 2;

  struct Scratch {
    DenseScratch<L> inputs;
    std::uint32_t table[Decoder::form.table_bytes() / 4 + 1];
    std::uint32_t filters[decoded_steps * pairs * pair_words];
  };

  /// Some steps of four channels.
  template <int some>
  static ASSAY_INLINE void add(const std::uint8_t*& packed, const std::uint32_t* inputs,
                               Scratch& scratch, std::int32_t (&sums)[dense_channels]) {
    packed = decode_pairs<Decoder, pairs * some>(packed, scratch.table, scratch.filters);
    add_widened_dense<some>(inputs, scratch.filters, sums);
  }

  static ASSAY_INLINE void add_all(const std::uint8_t*& packed, Scratch& scratch,
                                   std::int32_t (&sums)[dense_channels]) {
    constexpr int rest = steps % decoded_steps;
    const std::uint32_t* inputs = scratch.inputs.words;
    for (int i = 0; i < steps / decoded_steps; ++i, inputs += 2 * decoded_steps)
      add<decoded_steps>(packed, inputs, scratch, sums);
    if constexpr (rest > 0) add<rest>(packed, inputs, scratch, sums);
  }
};

template <class L, class Decoder>
ASSAY_INLINE void multiply_packed(const std::int8_t* in, std::int8_t* out, void* memory) {
  using Dense = PackedDense<L, Decoder>;
  auto& scratch = *static_cast<typename Dense::Scratch*>(memory);
  widen_inputs<L>(in, scratch.inputs);
  Decoder::prepare(scratch.table);
  const auto* packed = reinterpret_cast<const std::uint8_t*>(L::packed);
  for (int first = 0; first < L::out_channels; first += dense_channels) {
    std::int32_t sums[dense_channels];
#pragma GCC unroll 4
    for (int c = 0; c < dense_channels; ++c)
      sums[c] = L::bias[first + c];
    Dense::add_all(packed, scratch, sums);
    put_block<L>(sums, first, out);
  }
}

// Pairs of numbers of two channels, by the even inputs, then by the odd ones. What is loaded is not
// used at once: the ARM1176 would wait for it.
#define ASSAY_NUMBERS(first, second, third, fourth, low, high)                                 \
  "ldrb r6, [%[packed]" first "\n\tldrb r7, [%[packed]" second "\n\tldrb r8, [%[packed]" third \
  "\n\tldrb r9, [%[packed]" fourth                                                             \
  "\n\t"                                                                                       \
  "ldr r6, [%[table], r6, lsl #2]\n\t"                                                         \
  "ldr r7, [%[table], r7, lsl #2]\n\t"                                                         \
  "ldr r8, [%[table], r8, lsl #2]\n\t"                                                         \
  "ldr r9, [%[table], r9, lsl #2]\n\t"                                                         \
  "smlad " low ", r6, r4, " low "\n\tsmlad " high ", r7, r4, " high "\n\tsmlad " low           \
  ", r8, r5, " low "\n\tsmlad " high ", r9, r5, " high "\n\t"

/// Adds all steps of four channels, 25 instructions for sixteen multiply-accumulates; returns what
/// follows them in `packed`. `table` has the words of all pairs of values.
template <int steps>
ASSAY_INLINE const std::uint8_t* add_numbered(const std::uint32_t* inputs,
                                              const std::uint8_t* packed,
                                              const std::uint32_t* table,
                                              std::int32_t (&sums)[dense_channels]) {
  constexpr int unroll = steps % 8 == 0 ? 8 : unroll_of(steps);
  const std::uint32_t* const end = inputs + 2 * steps;
  std::int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
  do {
    asm volatile(
        ".rept %c[unroll]\n\t"
        "ldmia %[inputs]!, {r4, r5}\n\t"  //
        ASSAY_NUMBERS("], #8", ", #-7]", ", #-6]", ", #-5]", "%[a]", "%[b]")
            ASSAY_NUMBERS(", #-4]", ", #-3]", ", #-2]", ", #-1]", "%[c]",
                          "%[d]") ".endr" ASSAY_LINES_192 ASSAY_LINES_6 ASSAY_LINES_6
        : [inputs] "+r"(inputs), [packed] "+r"(packed), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c),
          [d] "+r"(d)
        : [unroll] "i"(unroll), [table] "r"(table)
        : "r4", "r5", "r6", "r7", "r8", "r9", "memory");
  } while (inputs != end);
  sums[0] = a, sums[1] = b, sums[2] = c, sums[3] = d;
  return packed;
}

#undef ASSAY_NUMBERS

template <class L>
ASSAY_INLINE void multiply_pairs(const std::int8_t* in, std::int8_t* out, void* memory) {
  auto& scratch = *static_cast<NumberedScratch<L>*>(memory);
  widen_inputs<L>(in, scratch.inputs);
  prepare_pairs<L>(scratch.table);
  const auto* packed = reinterpret_cast<const std::uint8_t*>(L::packed);
  for (int first = 0; first < L::out_channels; first += dense_channels) {
    std::int32_t sums[dense_channels];
#pragma GCC unroll 4
    for (int c = 0; c < dense_channels; ++c)
      sums[c] = L::bias[first + c];
    packed =
        add_numbered<dense_layout<L>.steps()>(scratch.inputs.words, packed, scratch.table, sums);
    put_block<L>(sums, first, out);
  }
}

}  // namespace armv6

template <class L>
void dense_codebook16_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::multiply_pairs<L>(in, out, scratch);
}

template <class L>
void dense_codebook_armv6(const std::int8_t* in, std::int8_t* out, void* scratch) {
  armv6::multiply_packed<L, dsp::Codebook<L>>(in, out, scratch);
}

}  // namespace assay::kernels
