// Bytes of scratch memory that a kernel of a microcontroller may ask for, unless it trades them for
// instructions by name (KernelRow::large_scratch). Shared by the packer on the host and the kernels
// on the device.
#pragma once

namespace assay::kernels {

inline constexpr int scratch_limit = 4096;

}  // namespace assay::kernels
