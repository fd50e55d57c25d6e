#include "compress/onnx/huffman.hpp"

#include <queue>
#include <utility>

namespace assay::onnx {
namespace {

/// A subtree waiting for a sibling: its weight and its number. Of equal weights the older one goes
/// first, which makes the lengths the same everywhere and the longest one as short as it can be.
using Subtree = std::pair<std::uint64_t, std::size_t>;

/// The parent of every node of the tree over `leaves`; leaves come first, the root is last.
std::vector<std::size_t> parents_of(std::span<const std::uint64_t> leaves) {
  std::priority_queue<Subtree, std::vector<Subtree>, std::greater<>> waiting;
  for (std::size_t i = 0; i < leaves.size(); ++i)
    waiting.push({leaves[i], i});
  std::vector<std::size_t> parents(leaves.size());
  while (waiting.size() > 1) {
    const auto [left_weight, left] = waiting.top();
    waiting.pop();
    const auto [right_weight, right] = waiting.top();
    waiting.pop();
    const std::size_t parent = parents.size();
    parents[left] = parent;
    parents[right] = parent;
    parents.push_back(parent);
    waiting.push({left_weight + right_weight, parent});
  }
  return parents;
}

}  // namespace

std::vector<std::uint8_t> huffman_code_lengths(std::span<const std::uint64_t> counts) {
  std::vector<std::uint8_t> lengths(counts.size(), 0);
  std::vector<std::uint64_t> leaves;
  std::vector<std::size_t> symbols;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0) {
      leaves.push_back(counts[i]);
      symbols.push_back(i);
    }
  if (symbols.size() == 1) lengths[symbols.front()] = 1;
  if (symbols.size() <= 1) return lengths;
  const auto parents = parents_of(leaves);
  // A parent comes after its children: from the root down, every depth is known in time.
  std::vector<std::uint8_t> depths(parents.size(), 0);
  for (std::size_t node = parents.size() - 1; node-- > 0;)
    depths[node] = static_cast<std::uint8_t>(depths[parents[node]] + 1);
  for (std::size_t i = 0; i < symbols.size(); ++i)
    lengths[symbols[i]] = depths[i];
  return lengths;
}

std::uint64_t huffman_bits(std::span<const std::uint64_t> counts) {
  const auto lengths = huffman_code_lengths(counts);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    bits += counts[i] * lengths[i];
  return bits;
}

}  // namespace assay::onnx
