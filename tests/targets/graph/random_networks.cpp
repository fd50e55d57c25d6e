#include "tests/targets/graph/random_networks.hpp"

namespace assay::test {

using onnx::ElementType;

namespace {

/// int8 activations, or uint8 in every other network.
ElementType narrow_type(unsigned seed) {
  return seed % 2 ? ElementType::uint8 : ElementType::int8;
}

onnx::Model chain(unsigned seed, ElementType type) {
  QdqBuilder b(seed, 1 + seed % 3, 9 + seed % 4, 11, type);
  const std::string act = seed % 3 == 0 ? "Clip" : "Relu";
  std::string x = b.conv(b.input(), {.outputs = 7, .stride = 1 + int(seed % 2)}, act);
  if (seed % 4 == 1) x = b.max_pool(x, 2, 2);
  const std::string shortcut = x;
  x = b.conv(x, {.depthwise = true, .scale_spread = 300}, act);
  x = b.conv(x, {.outputs = 7, .kernel_height = 1, .kernel_width = 1, .pads = {0, 0, 0, 0}});
  if (seed % 3 != 1) x = b.add(shortcut, x, act);
  x = b.conv(x, {.outputs = 12, .kernel_height = 2, .kernel_width = 3, .pads = {0, 1, 1, 0}}, act);
  if (seed % 5 == 2)
    x = b.global_average_pool(x);
  else if (seed % 5 == 3)
    x = b.average_pool(x, 2, 2);
  return b.finish(b.dense(b.flatten(x), 10, seed % 2 == 0));
}

onnx::Model branches(unsigned seed, ElementType type) {
  QdqBuilder b(seed, 4, 7 + seed % 3, 8, type);
  std::string x = b.conv(b.input(), {.outputs = 8, .groups = 2}, "Relu");
  std::string gate = b.global_average_pool(x);
  gate = b.conv(gate, {.outputs = 3, .kernel_height = 1, .kernel_width = 1, .pads = {0, 0, 0, 0}},
                "Relu");
  gate = b.conv(gate, {.outputs = 8, .kernel_height = 1, .kernel_width = 1, .pads = {0, 0, 0, 0}});
  x = seed % 3 ? b.multiply(x, b.function("Sigmoid", gate))
               : b.multiply(b.function("Sigmoid", gate), x);
  const std::string branch = b.function("HardSwish", b.conv(x, {.outputs = 5, .scale_spread = 40}));
  x = b.concat({x, branch, b.multiply(branch, branch)}, seed % 2 ? "Relu" : "");
  x = b.conv(x, {.outputs = 18, .stride = 2, .groups = 6});
  return b.finish(b.dense(b.flatten(b.concat({x, x})), 10));
}

}  // namespace

onnx::Model random_network(unsigned seed) {
  return chain(seed, narrow_type(seed));
}

onnx::Model wide_random_network(unsigned seed) {
  return chain(seed, ElementType::int16);
}

onnx::Model random_branches(unsigned seed) {
  return branches(seed, narrow_type(seed));
}

onnx::Model wide_random_branches(unsigned seed) {
  return branches(seed, ElementType::int16);
}

}  // namespace assay::test
