// Dense layer that meets only the blocks of four weights that are not zero, whose weights are
// numbers of up to 16 values: four channels at a time, each in a lane with its own way through the
// inputs. L has the members that lane_layout.hpp describes.
#pragma once

#include "targets/runtime/neon/lane_layout.hpp"
#include "targets/runtime/neon/numbered_values.hpp"
#include "targets/runtime/neon/products.hpp"
#include "targets/runtime/neon/whole_blocks.hpp"

namespace assay::kernels {

namespace neon {

/// The next block of inputs of every lane, and the way to the one after it.
template <class L>
class LaneInputs {
 public:
  ASSAY_INLINE LaneInputs(const std::int8_t* in, const std::uint16_t* firsts)
      : all_(reinterpret_cast<const Blocks*>(in)) {
#pragma GCC unroll 4
    for (int lane = 0; lane < lanes; ++lane)
      next_[lane] = in + 4 * firsts[lane];
  }

  /// The blocks whose distances are the four fields from `field` on.
  template <int field>
  ASSAY_INLINE int8x16_t take(std::uint64_t distances) {
    int8x16_t blocks;
    take_lane<field, 0>(blocks, distances);
    take_lane<field, 1>(blocks, distances);
    take_lane<field, 2>(blocks, distances);
    take_lane<field, 3>(blocks, distances);
    return blocks;
  }

 private:
  using Blocks = std::int8_t[(dense_inputs<L> + 3) / 4 * 4];

  /// Two instructions: GCC has no way to say a load that moves its address on by a register. Four
  /// bytes a block, which the shift is for.
  template <int field, int lane>
  ASSAY_INLINE void take_lane(int8x16_t& blocks, std::uint64_t distances) {
    constexpr std::uint64_t mask = longest_distance * 4;
    constexpr int right = 4 * (field + lane) - 2;
    std::uint64_t step;
    if constexpr (field + lane == 0)
      asm("and %[step], %[mask], %[distances], lsl 2\n\t"
          "ld1 {%[blocks].s}[0], [%[next]], %[step]"
          : [step] "=&r"(step), [blocks] "=w"(blocks), [next] "+r"(next_[lane])
          : [mask] "r"(mask), [distances] "r"(distances), "m"(*all_));
    else if constexpr (lane == 0)
      asm("and %[step], %[mask], %[distances], lsr %[right]\n\t"
          "ld1 {%[blocks].s}[0], [%[next]], %[step]"
          : [step] "=&r"(step), [blocks] "=w"(blocks), [next] "+r"(next_[lane])
          : [mask] "r"(mask), [distances] "r"(distances), [right] "i"(right), "m"(*all_));
    else
      asm("and %[step], %[mask], %[distances], lsr %[right]\n\t"
          "ld1 {%[blocks].s}[%[lane]], [%[next]], %[step]"
          : [step] "=&r"(step), [blocks] "+w"(blocks), [next] "+r"(next_[lane])
          : [mask] "r"(mask), [distances] "r"(distances), [right] "i"(right), [lane] "i"(lane),
            "m"(*all_));
  }

  const Blocks* all_;
  const std::int8_t* next_[lanes];
};

/// What follows in the two streams. GCC would load for the next step already, and keep copies of
/// both addresses.
ASSAY_INLINE uint8x16_t next_step(const std::uint32_t*& distances, const std::uint8_t*& numbers,
                                  std::uint64_t& word) {
  uint8x16_t both;
  asm volatile(
      "ldr %w[word], [%[distances]], 4\n\tldr %q[both], [%[numbers]], 16"
      : [word] "=&r"(word), [both] "=w"(both), [distances] "+r"(distances), [numbers] "+r"(numbers)
      :
      : "memory");
  return both;
}

/// Writes the outputs of four lanes where their channels are.
template <int lane = 0>
ASSAY_INLINE void store_lanes(std::int8_t* out, const std::uint16_t* order, int8x8_t outputs) {
  vst1_lane_s8(out + order[lane], outputs, lane);
  if constexpr (lane + 1 < lanes) store_lanes<lane + 1>(out, order, outputs);
}

}  // namespace neon

template <class L>
void dense_blocks_codebook16_neon(const std::int8_t* in, std::int8_t* out, void* scratch) {
  using namespace neon;
  in = whole_blocks<L>(in, scratch);
  const NumberedValues<L> values;
  const std::uint16_t* head = L::heads;
  const std::uint32_t* distances = L::distances;
  const std::uint8_t* numbers = L::numbers;
  for (int first = 0; first < L::out_channels; first += lanes, head += head_words) {
    LaneInputs<L> inputs(in, head + 1);
    int32x4_t low = vdupq_n_s32(0), high = vdupq_n_s32(0);
    int steps = head[0];
    do {
      std::uint64_t word;
      const uint8x16_t both = next_step(distances, numbers, word);
      const int8x16_t a = inputs.template take<0>(word), b = inputs.template take<lanes>(word);
      const int8x16_t v = values.low(both), w = values.high(both);
      // Two products, at most 32 512, fit the 16 bits between SMLAL and SADALP.
      high = vpadalq_s16(high, vmlal_high_s8(vmull_high_s8(a, v), b, w));
      low = vpadalq_s16(
          low, vmlal_s8(vmull_s8(vget_low_s8(a), vget_low_s8(v)), vget_low_s8(b), vget_low_s8(w)));
    } while (--steps != 0);
    const int16x4_t y =
        requantize<L>(vpaddq_s32(low, high), L::bias + first, L::multiplier + first);
    store_lanes(out, L::order + first, vmovn_s16(vcombine_s16(y, y)));
  }
}

}  // namespace assay::kernels
