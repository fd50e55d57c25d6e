// The IDX format of the MNIST family, plain or gzip-compressed: a big-endian header (two zero
// bytes, the element type, the number of dimensions, the dimensions) and then the elements,
// row-major. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "harness/core/result.hpp"

namespace assay {

/// Unpacks an array of unsigned bytes and returns its elements. The header must announce exactly
/// `dimensions`, so nothing larger than them is ever allocated. With `leading` below dimensions[0]
/// only that many items are unpacked, and the rest of the file is not looked at; otherwise the data
/// must end where the dimensions say and, of gzip data, the check sum must hold.
/// Errors: bad_input, naming `source`, for damaged or truncated gzip data, other elements or
/// dimensions than expected, missing or surplus bytes.
Result<std::vector<std::uint8_t>> read_idx(std::span<const std::byte> file,
                                           const std::vector<int>& dimensions, int leading,
                                           const std::string& source);

}  // namespace assay
