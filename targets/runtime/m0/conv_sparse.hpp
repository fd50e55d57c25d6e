// Convolutions that skip zero weights for Armv6-M. Filters are unpacked once for a tile (conv.hpp),
// to records of what is not zero and where its columns lie. L has, besides the members of
// layer.hpp:
//   std::int32_t channels[]    b' and m of each output channel
//   std::uint16_t counts[]     blocks or weights of each output channel (not for bitmaps)
//   std::int32_t most[]        one number: the largest count of a channel
// and, in the order of the channels,
//   blocks:        std::uint32_t weights[], four of a block to a word; std::uint8_t or
//                  std::uint16_t positions[], number of the block in the window
//   unstructured:  std::int8_t values[]; std::uint8_t steps[], inputs from the one before (from -1
//                  for the first of a channel)
//   bitmap:        std::int8_t values[]; std::uint32_t bits[], one for every input, the first
//   lowest
#pragma once

#include "targets/runtime/m0/conv.hpp"

namespace assay::kernels {

namespace m0 {

/// The sums of a filter without weights.
ASSAY_INLINE FourSums no_products(std::int32_t bias) {
  return {bias, bias, bias, bias};
}

/// Filters of which whole blocks of four inputs are zero.
template <class L>
class BlockFilters {
 public:
  static constexpr int unpacked_bytes = blocks_unpacked_bytes(L::most[0]);
  static constexpr bool are_words = false;

  explicit BlockFilters(std::int32_t* unpacked) : unpacked_(unpacked) {}
  ASSAY_INLINE void next() {
    end_ = unpack_blocks(position_, position_ + *count_++, weights_, unpacked_);
    // A filter without weights has a block of zeros, so that no group need look.
    if (end_ == unpacked_)
      while (end_ != unpacked_ + block_record)
        *end_++ = 0;
  }
  ASSAY_INLINE FourSums multiply(const std::int32_t*& columns, std::int32_t bias) const {
    const std::int32_t* group = columns;
    columns += 4 * conv_layout<L>.loop.steps;
    return multiply_blocks(unpacked_, end_, group, bias);
  }

 private:
  const std::uint16_t* count_ = L::counts;
  decltype(&L::positions[0]) position_ = L::positions;
  const std::uint32_t* weights_ = L::weights;
  std::int32_t* unpacked_;
  std::int32_t* end_ = nullptr;
};

/// Records of single weights.
template <class L>
class SingleFilters {
 public:
  static constexpr int unpacked_bytes = singles_unpacked_bytes(L::most[0]);
  static constexpr bool are_words = false;

  explicit SingleFilters(std::int32_t* unpacked) : unpacked_(unpacked) {}
  ASSAY_INLINE FourSums multiply(const std::int32_t*& columns, std::int32_t bias) const {
    const std::int32_t* group = columns;
    columns += 4 * conv_layout<L>.loop.steps;
    return end_ == unpacked_ ? no_products(bias) : multiply_singles(unpacked_, end_, group, bias);
  }

 protected:
  void start() { end_ = unpacked_; }
  ASSAY_INLINE void put(std::int32_t weight, int input) {
    end_[0] = weight;
    end_[1] = (input >> 1) * 16 + (input & 1) * 4;
    end_ += 2;
  }
  /// Records are multiplied in pairs.
  void finish() {
    if ((end_ - unpacked_) % 4 != 0) put(0, 0);
  }

 private:
  std::int32_t* unpacked_;
  std::int32_t* end_ = nullptr;
};

template <class L>
class ScatteredFilters : public SingleFilters<L> {
 public:
  using SingleFilters<L>::SingleFilters;
  void next() {
    this->start();
    int input = -1;
    for (int left = *count_++; left > 0; --left) {
      input += *step_++;
      this->put(*value_++, input);
    }
    this->finish();
  }

 private:
  const std::uint16_t* count_ = L::counts;
  const std::uint8_t* step_ = L::steps;
  const std::int8_t* value_ = L::values;
};

template <class L>
class BitmapFilters : public SingleFilters<L> {
 public:
  using SingleFilters<L>::SingleFilters;
  void next() {
    this->start();
    for (int first = 0; first < conv_layout<L>.filter; first += 32) {
      int input = first;
      for (std::uint32_t bits = *bits_++; bits != 0; bits >>= 1, ++input)
        if (bits & 1) this->put(*value_++, input);
    }
    this->finish();
  }

 private:
  const std::uint32_t* bits_ = L::bits;
  const std::int8_t* value_ = L::values;
};

}  // namespace m0

template <class L>
void conv_blocks_m0(const std::int8_t* in, std::int8_t* out, void* memory) {
  m0::convolve<L, m0::BlockFilters<L>>(in, out, memory);
}

template <class L>
void conv_unstructured_m0(const std::int8_t* in, std::int8_t* out, void* memory) {
  m0::convolve<L, m0::ScatteredFilters<L>>(in, out, memory);
}

template <class L>
void conv_bitmap_m0(const std::int8_t* in, std::int8_t* out, void* memory) {
  m0::convolve<L, m0::BitmapFilters<L>>(in, out, memory);
}

}  // namespace assay::kernels
