// Huffman codes: how long each symbol's code word is. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace assay::onnx {

/// Bits of each symbol's code word in an optimal prefix code (Huffman, "A Method for the
/// Construction of Minimum-Redundancy Codes", 1952), for symbols that occur `counts` times. A
/// symbol that never occurs has no code word: 0. A symbol that is alone takes one bit, as in
/// DEFLATE (RFC 1951, 3.2.7).
std::vector<std::uint8_t> huffman_code_lengths(std::span<const std::uint64_t> counts);

/// Bits of the whole text: the sum of count times length. 0 for no symbols.
std::uint64_t huffman_bits(std::span<const std::uint64_t> counts);

}  // namespace assay::onnx
