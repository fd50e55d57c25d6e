// How a dense layer's blocks of four numbered weights lie for the NEON kernel, four channels side
// by side. Shared by the packer on the host and the kernel on the device.
//
// Zero blocks are left out, and channels are sorted by how many blocks that leaves of them; a group
// is four of them, one in each lane of a register, the last one filled up with its first channel. A
// step is two blocks of each lane; lanes with fewer than the longest have blocks of zeros at their
// end. Members of the layer:
//   order[]      16-bit: the output channel of every lane of every group; bias[] and multiplier[]
//                are in that order, too
//   heads[]      16-bit, five for every group: its steps, one at least, and the number of the first
//                block of each lane in the window
//   distances[]  32-bit, one for every step: eight fields of four bits, how many blocks on from
//                this block the lane's next one is; the first blocks of the lanes come first, in
//                the low bits. A distance beyond 15 is bridged with blocks of zeros.
//   numbers[]    8-bit, 16 for every step: byte i holds the number of weight i of the lanes' first
//                blocks, the four of a lane together, in its low half, that of the second blocks in
//                its high half
//   values[]     8-bit: the up to 16 values, zero among them
#pragma once

namespace assay::kernels::neon {

inline constexpr int lanes = 4;
inline constexpr int step_blocks = 2;
inline constexpr int head_words = 1 + lanes;
inline constexpr int longest_distance = 15;

}  // namespace assay::kernels::neon
