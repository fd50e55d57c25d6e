// The median that records and stages take of several runs. Pure; thread-safe.
#pragma once

#include <algorithm>
#include <cassert>
#include <vector>

namespace assay {

/// The middle one of at least one value; of an even number the upper of the two.
template <class Value>
Value median(std::vector<Value> values) {
  assert(!values.empty());
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

}  // namespace assay
