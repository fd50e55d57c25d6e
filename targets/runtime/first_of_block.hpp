// Where a block of channels or pixels begins. Shared by the packer on the host and the kernels on
// the device. Freestanding.
#pragma once

namespace assay::kernels {

/// The first of a block of `size` of `count` things; the last block overlaps the one before, so
/// that all are whole. Fewer than `size` are one block. The size is a parameter of the template,
/// because GCC makes more of kernels' loops where it knows it before it inlines.
template <int size>
constexpr int first_of_block(int block, int count) {
  return size * block + size > count && count > size ? count - size : size * block;
}

}  // namespace assay::kernels
