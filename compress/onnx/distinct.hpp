// The different values of a tensor. Pure function, thread-safe.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

namespace assay::onnx {

/// Every value once, ascending; 0 and -0 are one. None of the elements is NaN.
template <class T>
std::vector<T> distinct_values(std::span<const T> elements) {
  std::vector<T> values(elements.begin(), elements.end());
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

}  // namespace assay::onnx
