// Filters without their zeros, read channel by channel: visit(position, weight), or the number of a
// block of four and its weights, for everything that is left of the next channel. Filters are in
// the order of the windows. Portable. L has
//   counts[]              16-bit: entries of each channel (not with bits)
//   steps[], values[]     8-bit: single weights; the distance of each from the one before, of the
//                         first from the place before the window
//   positions[], weights[]  8- or 16-bit, 32-bit: blocks of four weights, by their number in the
//                           window
//   bits[], values[]      32-bit, 8-bit: a bit for every weight, the first one lowest, whole words
//                         for each channel; the weights whose bit is set
//   stream[], values[]    8-bit: blocks of three bytes (m0/sparse_codebook.hpp), whose weights are
//                         numbers of up to 16 values
#pragma once

#include "targets/runtime/inline.hpp"
#include "targets/runtime/layer.hpp"
#include "targets/runtime/unroll.hpp"

namespace assay::kernels {

template <class L>
class SingleStream {
 public:
  template <class Visit>
  ASSAY_INLINE void next_channel(int channel, Visit visit) {
    int position = -1;
    for (int left = L::counts[channel]; left > 0; --left) {
      position += *step_++;
      visit(position, *value_++);
    }
  }

 private:
  const std::uint8_t* step_ = L::steps;
  const std::int8_t* value_ = L::values;
};

template <class L, int inputs>
class BitmapStream {
 public:
  template <class Visit>
  ASSAY_INLINE void next_channel(int, Visit visit) {
    for (int first = 0; first < inputs; first += 32)
      for (std::uint32_t bits = *bits_++; bits != 0; bits &= bits - 1)
        visit(first + __builtin_ctz(bits), *value_++);
  }

 private:
  const std::uint32_t* bits_ = L::bits;
  const std::int8_t* value_ = L::values;
};

/// Pointers, because GCC would compute addresses of numbered elements anew in every iteration.
template <class L>
class BlockStream {
 public:
  /// visit(number of the block in the window, pointer to its four weights)
  template <class Visit>
  ASSAY_INLINE void next_channel(int channel, Visit visit) {
    for (const auto* const end = weights_ + L::counts[channel]; weights_ != end; ++weights_) {
      visit(*position_++, weights_);
      asm("" : "+r"(position_));  // GCC would keep copies, to derive it from weights_ at the end
    }
  }

  /// The same two blocks at a time; visit() takes one that is left over.
  template <class Visit, class VisitTwo>
  ASSAY_INLINE void visit_pairs(int channel, Visit visit, VisitTwo visit_two) {
    int left = L::counts[channel];
    for (; left > 1; left -= 2, position_ += 2, weights_ += 2)
      visit_two(position_[0], position_[1], weights_);
    if (left > 0) visit(*position_++, weights_++);
  }

 private:
  decltype(&L::positions[0]) position_ = L::positions;
  const std::uint32_t* weights_ = L::weights;
};

/// visit(number of the block in the window, pointer to the two bytes of numbers): those of w0 (low
/// half) and w2, of w1 and w3. A block may be all zeros.
template <class L>
class NumberedStream {
 public:
  template <class Visit>
  ASSAY_INLINE void next_channel(int, Visit visit) {
    std::uint32_t block = 0, head;
    do {
      head = *next_;
      block += head >> 1;
      visit(block, next_ + 1);
      next_ += 3;
    } while (head % 2 == 0);
  }

 private:
  const std::uint8_t* next_ = reinterpret_cast<const std::uint8_t*>(L::stream);
};

}  // namespace assay::kernels
