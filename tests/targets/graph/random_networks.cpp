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

/// Draws the layers of random_stages().
class Stages {
 public:
  Stages(unsigned seed, ElementType type)
      : random_(seed), b_(seed, below(2) ? 4 : 1 + below(3), 9 + below(16), 8 << below(2), type) {}

  onnx::Model draw() {
    std::string x = window(b_.input(), 4 + 4 * below(2), false);
    for (int left = 2 + below(4); left > 0; --left)
      x = stage(x);
    return b_.finish(b_.dense(b_.flatten(x), 10));
  }

 private:
  int below(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }
  std::string act() { return below(3) ? "Relu" : ""; }

  std::string window(const std::string& x, int outputs, bool depthwise) {
    const auto shape = b_.shape_of(x);
    const int height = std::min<int>(1 + below(7), static_cast<int>(shape[2]));
    const int width = std::min<int>(1 + 2 * below(2), static_cast<int>(shape[3]));
    const int stride = below(3) ? 1 : std::min(2 + below(2), height + 1);
    ConvOptions options{.outputs = outputs, .kernel_height = height, .kernel_width = width};
    options.stride = stride;
    options.pads = {below(height), below(width), below(height), below(width)};
    options.depthwise = depthwise;
    return b_.conv(x, options, act());
  }

  std::string residual(const std::string& x) {
    const int channels = static_cast<int>(b_.shape_of(x)[1]);
    const std::string wide = b_.conv(
        x, {.outputs = 2 * channels, .kernel_height = 1, .kernel_width = 1, .pads = {0, 0, 0, 0}},
        "Relu");
    const std::string deep = b_.conv(wide, {.depthwise = true}, "Relu");
    const std::string narrow = b_.conv(
        deep, {.outputs = channels, .kernel_height = 1, .kernel_width = 1, .pads = {0, 0, 0, 0}});
    return below(2) ? b_.add(x, narrow, act()) : b_.add(narrow, x, act());
  }

  std::string stage(const std::string& x) {
    const auto shape = b_.shape_of(x);
    const int channels = static_cast<int>(shape[1]);
    const bool small = shape[2] < 4 || shape[3] < 4;
    switch (below(small ? 4 : 8)) {
      case 0:
        return residual(x);
      case 1:
        return b_.function("HardSwish", x);
      case 2:
        return b_.multiply(x, x);
      case 3:
        return b_.concat({x, b_.conv(x, {.outputs = 4})}, act());
      case 4:
        return b_.max_pool(x, 3, 1 + below(2), {below(3), 1, below(3), 1});
      case 5:
        return b_.average_pool(x, 2, 1 + below(2));
      case 6:
        return window(x, channels, true);
      default:
        return window(x, 4 + 4 * below(3), false);
    }
  }

  std::mt19937 random_;
  QdqBuilder b_;
};

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

onnx::Model random_stages(unsigned seed) {
  return Stages(seed, narrow_type(seed)).draw();
}

onnx::Model wide_random_stages(unsigned seed) {
  return Stages(seed, ElementType::int16).draw();
}

}  // namespace assay::test
