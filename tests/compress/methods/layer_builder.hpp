// Models whose constants are small integers, so that nothing they compute is rounded.
#pragma once

#include <algorithm>
#include <map>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "compress/onnx/model.hpp"

namespace assay::testing_models {

using Shape = std::vector<std::int64_t>;

/// Builds models layer by layer with random small integers; every layer reads the one before unless
/// told otherwise. Nodes are called after their outputs.
class LayerBuilder {
 public:
  LayerBuilder(std::int64_t channels, std::int64_t size) {
    model_.inputs = {{"x", onnx::ElementType::float32, {-1, channels, size, size}}};
  }
  LayerBuilder& from(const std::string& tensor) {
    last_ = tensor;
    return *this;
  }
  LayerBuilder& conv(const std::string& name, Shape shape, bool bias = true,
                     std::int64_t group = 1) {
    constant(name + ".w", shape);
    if (bias) constant(name + ".b", {shape[0]});
    const std::int64_t pad = shape[2] / 2;
    return node("Conv", name,
                bias ? std::vector{name + ".w", name + ".b"} : std::vector{name + ".w"},
                {{"group", group}, {"pads", Shape{pad, pad, pad, pad}}});
  }
  LayerBuilder& dense(const std::string& name, Shape shape) {
    constant(name + ".w", shape);
    constant(name + ".b", {shape[0]});
    return node("Gemm", name, {name + ".w", name + ".b"}, {{"transB", std::int64_t{1}}});
  }
  LayerBuilder& norm(const std::string& name, std::int64_t channels) {
    std::vector<std::string> inputs;
    for (const char* part : {".scale", ".bias", ".mean", ".var"}) {
      constant(name + part, {channels});
      inputs.push_back(name + part);
    }
    // Square roots of 1 and 4, so that the result is exact.
    for (float& variance : values(name + ".var"))
      variance = variance > 0 ? 4 : 1;
    return node("BatchNormalization", name, inputs, {{"epsilon", 0.0F}});
  }
  LayerBuilder& node(const std::string& op_type, const std::string& name,
                     std::vector<std::string> more = {},
                     std::map<std::string, onnx::Attribute> attributes = {}) {
    more.insert(more.begin(), last_);
    model_.nodes.push_back({name, op_type, "", std::move(more), {name}, std::move(attributes)});
    return from(name);
  }
  LayerBuilder& constant(const std::string& name, const Shape& shape) {
    std::int64_t count = 1;
    for (const auto extent : shape)
      count *= extent;
    std::vector<float> numbers;
    for (std::int64_t i = 0; i < count; ++i)
      numbers.push_back(float(1 + int(random_() % 3)) * (random_() % 2 ? 1.0F : -1.0F));
    model_.initializers[name] =
        onnx::Tensor::of<float>(name, onnx::ElementType::float32, shape, numbers);
    return *this;
  }
  LayerBuilder& scalar(const std::string& name, float value) {
    constant(name, {});
    values(name)[0] = value;
    return *this;
  }
  /// Sets the entries of some output channels of a constant to 0.
  LayerBuilder& kill(const std::string& name, std::vector<std::size_t> channels) {
    const auto all = values(name);
    const std::size_t row = all.size() / std::size_t(model_.initializers[name].shape[0]);
    for (const auto channel : channels)
      std::ranges::fill(all.subspan(channel * row, row), 0.0F);
    return *this;
  }
  onnx::Model build() {
    model_.outputs = {{last_, onnx::ElementType::float32, {-1, -1}}};
    return model_;
  }

 private:
  std::span<float> values(const std::string& name) {
    onnx::Tensor& tensor = model_.initializers[name];
    return {reinterpret_cast<float*>(tensor.data.data()), tensor.data.size() / sizeof(float)};
  }

  onnx::Model model_;
  std::string last_ = "x";
  std::mt19937 random_{11};
};

}  // namespace assay::testing_models
