// Dense layer with packed weights for cores with SMLAD, and what conv_packed.hpp takes of it; see
// dense_packed_layout.hpp for the weight format. A weight is used once, so that what decodes it is
// part of its price: for 256 inputs and 64 channels 1.3 instructions per multiply-accumulate with
// digits, 2 with up to 16 values and 3.7 with more, against 1.1 with int8 weights. L has,
// besides the members of layer.hpp:
//   packed[]                    weights; std::uint32_t, for codebooks std::uint8_t
//   std::int8_t values[]        codebooks only: what an index stands for
//   std::int32_t bias[], multiplier[]
#pragma once

#include <type_traits>

#include "targets/runtime/dsp/dense.hpp"
#include "targets/runtime/dsp/dense_packed_layout.hpp"
#include "targets/runtime/dsp/unpack.hpp"
#include "targets/runtime/pixel_window.hpp"

namespace assay::kernels {

namespace dsp {

/// `length` inputs as int16, with zeros up to a whole group. Returns their end.
template <int length>
ASSAY_INLINE std::uint32_t* expand_whole_groups(const std::int8_t* in, std::uint32_t* to) {
  constexpr int rest = length % 4;
  std::uint32_t* const end = to + 2 * ExpandedInputs::groups_of(length);
  expand_inputs<length - rest>(in, to);
  if constexpr (rest != 0) {
    std::int8_t last[4] = {};
    for (int i = 0; i < rest; ++i)
      last[i] = in[length - rest + i];
    end[-2] = sxtb16(load_word(last));
    end[-1] = sxtb16_odd(load_word(last));
  }
  return end;
}

/// Expanded inputs.
struct InputWords {
  const std::uint32_t* begin;
  const std::uint32_t* end;
};

/// The inputs of a window, all expanded by the constructor.
template <class Window, int other_bytes>
class InputsAtOnce {
 public:
  static constexpr ExpandedInputs layout{Window::pieces, Window::length, other_bytes};

  ASSAY_INLINE InputsAtOnce(const Window& window, std::uint32_t* memory) : words_(opaque(memory)) {
    std::uint32_t* to = words_;
    for (int piece = 0; piece < Window::pieces; ++piece)
      to = expand_whole_groups<Window::length>(window.piece(piece), to);
  }
  ASSAY_INLINE InputWords part(int index) const {
    const std::uint32_t* const begin = words_ + index * 2 * digit_groups;
    return {begin,
            index + 1 < layout.parts ? begin + 2 * digit_groups : words_ + 2 * layout.groups};
  }

 private:
  std::uint32_t* words_;
};

/// The same, expanded part by part whenever they are asked for.
template <class Window, int other_bytes>
class InputsInParts {
 public:
  static constexpr ExpandedInputs layout{Window::pieces, Window::length, other_bytes};

  ASSAY_INLINE InputsInParts(const Window& window, std::uint32_t* memory)
      : window_(window), words_(opaque(memory)) {}
  ASSAY_INLINE InputWords part(int index) const {
    constexpr int whole = 4 * digit_groups, last = (Window::length - 1) % whole + 1;
    constexpr int parts = layout.parts / Window::pieces;
    const int piece = index / parts, in_piece = index % parts;
    const std::int8_t* const from = window_.piece(piece) + in_piece * whole;
    if (in_piece + 1 < parts) return {words_, expand_whole_groups<whole>(from, words_)};
    return {words_, expand_whole_groups<last>(from, words_)};
  }

 private:
  const Window& window_;
  std::uint32_t* words_;
};

/// Of the two what fits scratch memory beside `decoder_bytes` and an outside pixel.
template <class Window, int decoder_bytes>
using PackedInputs = std::conditional_t<
    ExpandedInputs(Window::pieces, Window::length, decoder_bytes + Window::scratch_bytes).at_once,
    InputsAtOnce<Window, decoder_bytes + Window::scratch_bytes>,
    InputsInParts<Window, decoder_bytes + Window::scratch_bytes>>;

ASSAY_INLINE std::int32_t sum_of_halves(const std::uint32_t* word, const std::uint32_t* end) {
  std::int32_t sum = 0;
  do {
    sum = smlad(*word, 0x10001, sum);
  } while (++word != end);
  return sum;
}

/// The `bits` lowest bits of both halves of `word`, computed where it is written, as add_in_order.
template <int bits>
ASSAY_INLINE std::uint32_t lowest_bits(std::uint32_t word) {
  constexpr std::uint32_t lowest = ((1u << bits) - 1) * 0x10001;
  if constexpr (bits == 16) return word;
  std::uint32_t result;
  if constexpr (bits <= 8)  // masks that the instructions can hold
    asm volatile("and %0, %1, %2" : "=r"(result) : "r"(word), "i"(lowest));
  else
    asm volatile("bic %0, %1, %2" : "=r"(result) : "r"(word), "i"(~lowest));
  return result;
}

/// Adds the products of channel `c` and those after it with the two inputs in `a`; `word` holds the
/// digits of the channels before.
template <int bits, int channels, int c = 0>
ASSAY_INLINE void add_digits(const std::uint32_t*& weights, std::uint32_t a, std::uint32_t word,
                             std::int32_t (&sums)[channels]) {
  constexpr int digit = c % (16 / bits);
  if constexpr (digit == 0) asm volatile("ldr %0, [%1], #4" : "=r"(word), "+r"(weights));
  add_in_order(sums[c], lowest_bits<(digit + 1) * bits>(word), a);
  if constexpr (c + 1 < channels) add_digits<bits, channels, c + 1>(weights, a, word, sums);
}

/// Adds what channel `c` and those after it are in `sums` to `totals`.
template <int bits, int channels, int c = 0>
ASSAY_INLINE void separate_digits(const std::int32_t (&sums)[channels],
                                  std::int32_t (&totals)[channels]) {
  constexpr int digit = c % (16 / bits);
  if constexpr (digit == 0)
    totals[c] += sums[c];
  else
    totals[c] += (sums[c] - sums[c - 1]) >> digit * bits;
  if constexpr (c + 1 < channels) separate_digits<bits, channels, c + 1>(sums, totals);
}

/// Writes channel `first` + `c` and those after it.
template <class L, int bits, int channels, int c = 0>
ASSAY_INLINE void store_digits(const std::int32_t (&totals)[channels], std::int32_t input_sum,
                               int first, std::int8_t* out) {
  constexpr bool highest = c % (16 / bits) == 16 / bits - 1;
  const std::int32_t offset = highest ? 0 : digit_offset(bits) * input_sum;
  out[first + c] = requantize<L>(totals[c] + L::bias[first + c] - offset, L::multiplier[first + c]);
  if constexpr (c + 1 < channels)
    store_digits<L, bits, channels, c + 1>(totals, input_sum, first, out);
}

/// Adds the products of all channels with these inputs to `totals`.
template <int bits, int channels>
ASSAY_INLINE void add_digits_of_part(const std::uint32_t*& weights, InputWords words,
                                     std::int32_t (&totals)[channels]) {
  const std::uint32_t* from = words.begin;
  std::int32_t sums[channels] = {};
  do {
    add_digits<bits>(weights, *from++, 0, sums);
    add_digits<bits>(weights, *from++, 0, sums);
  } while (from != words.end);
  separate_digits<bits>(sums, totals);
}

/// `channels` channels from `first` on; returns the weights after them.
template <class L, int bits, int channels, class Inputs>
ASSAY_INLINE const std::uint32_t* dense_digits_block(const std::uint32_t* weights, int first,
                                                     const Inputs& inputs, std::int32_t input_sum,
                                                     std::int8_t* out) {
  std::int32_t totals[channels] = {};
  // Said apart, for a loop of one round keeps the sums in memory.
  if constexpr (Inputs::layout.parts == 1)
    add_digits_of_part<bits>(weights, inputs.part(0), totals);
  else
    for (int part = 0; part < Inputs::layout.parts; ++part)
      add_digits_of_part<bits>(weights, inputs.part(part), totals);
  store_digits<L, bits>(totals, input_sum, first, out);
  return weights;
}

/// All channels of a window.
template <class L, int bits, class Window>
ASSAY_INLINE void dense_digits(const Window& window, std::int8_t* out, std::uint32_t* memory) {
  using Inputs = PackedInputs<Window, 0>;
  const Inputs inputs(window, memory);
  std::int32_t input_sum = 0;
  for (int part = 0; part < Inputs::layout.parts; ++part) {
    const InputWords words = inputs.part(part);
    input_sum += sum_of_halves(words.begin, words.end);
  }
  const std::uint32_t* weights = opaque(L::packed);
  int channel = 0;
  for (; channel + digit_channels <= L::out_channels; channel += digit_channels)
    weights = dense_digits_block<L, bits, digit_channels>(weights, channel, inputs, input_sum, out);
  constexpr int left = L::out_channels % digit_channels;
  if constexpr (left > 0)
    dense_digits_block<L, bits, left>(weights, channel, inputs, input_sum, out);
}

/// Adds the products of four channels with these inputs to `sums`.
template <class Decoder>
ASSAY_INLINE void add_indices_of_part(const std::uint8_t*& indices, const std::uint32_t* table,
                                      InputWords words, std::int32_t& sum0, std::int32_t& sum1,
                                      std::int32_t& sum2, std::int32_t& sum3) {
  do {
    const std::uint32_t group[2] = {words.begin[0], words.begin[1]};
    Decoder::add_group(indices, table, group, sum0, sum1);
    Decoder::add_group(indices, table, group, sum2, sum3);
    words.begin += 2;
  } while (words.begin != words.end);
}

/// The same as dense_digits; the decoder has prepared `table`, inputs are expanded behind it.
template <class L, class Decoder, class Window>
ASSAY_INLINE void dense_codebook(const Window& window, std::int8_t* out, std::uint32_t* table) {
  constexpr int table_bytes = Decoder::form.table_bytes();
  using Inputs = PackedInputs<Window, table_bytes>;
  const Inputs inputs(window, table + table_bytes / 4);
  const std::uint8_t* indices = opaque(L::packed);
  for (int channel = 0; channel < L::out_channels; channel += codebook_channels) {
    std::int32_t sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;  // an array would lie in memory
    const auto add = [&](InputWords words) ASSAY_INLINE_LAMBDA {
      add_indices_of_part<Decoder>(indices, table, words, sum0, sum1, sum2, sum3);
    };
    // Said apart, as in dense_digits_block.
    if constexpr (Inputs::layout.parts == 1)
      add(inputs.part(0));
    else
      for (int part = 0; part < Inputs::layout.parts; ++part)
        add(inputs.part(part));
    const std::int32_t sums[codebook_channels] = {sum0, sum1, sum2, sum3};
    for (int c = 0; c < codebook_channels && channel + c < L::out_channels; ++c)
      out[channel + c] = requantize<L>(sums[c] + L::bias[channel + c], L::multiplier[channel + c]);
  }
}

template <class L, class Decoder>
ASSAY_INLINE void dense_codebook_layer(const std::int8_t* in, std::int8_t* out, void* scratch) {
  auto* const table = static_cast<std::uint32_t*>(scratch);
  Decoder::prepare(table);
  dense_codebook<L, Decoder>(WholeInput<L>{in}, out, table);
}

}  // namespace dsp

template <class L>
void dense_int4_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::dense_digits<L, 4>(WholeInput<L>{in}, out, static_cast<std::uint32_t*>(scratch));
}

template <class L>
void dense_ternary_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::dense_digits<L, 2>(WholeInput<L>{in}, out, static_cast<std::uint32_t*>(scratch));
}

template <class L>
void dense_codebook16_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::dense_codebook_layer<L, dsp::PairCodebook<L>>(in, out, scratch);
}

template <class L>
void dense_codebook_dsp(const std::int8_t* in, std::int8_t* out, void* scratch) {
  dsp::dense_codebook_layer<L, dsp::Codebook<L>>(in, out, scratch);
}

}  // namespace assay::kernels
