#include "compress/onnx/fold_batch_norm.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <optional>
#include <set>

namespace assay::onnx {
namespace {

/// A normalization in inference form: y = factor * x + shift, per channel.
struct Affine {
  std::vector<double> factor;
  std::vector<double> shift;
};

class Folder {
 public:
  explicit Folder(const Model& model) : result_(model) {
    for (std::size_t i = 0; i < model.nodes.size(); ++i) {
      for (const std::string& output : model.nodes[i].outputs)
        producer_[output] = i;
      for (const std::string& input : model.nodes[i].inputs)
        ++readers_[input];
    }
    for (const ValueInfo& output : model.outputs)
      ++readers_[output.name];
  }

  Result<Model> run() {
    std::set<std::size_t> folded;
    for (std::size_t i = 0; i < result_.nodes.size(); ++i) {
      if (result_.nodes[i].op_type != "BatchNormalization") continue;
      ASSAY_TRY(const Affine affine, affine_of(result_.nodes[i]));
      ASSAY_TRY(const bool absorbed, absorb(result_.nodes[i], affine));
      if (absorbed)
        folded.insert(i);
      else
        ASSAY_CHECK(stand_alone(result_.nodes[i], affine));
    }
    Model model = result_;
    model.nodes.clear();
    for (std::size_t i = 0; i < result_.nodes.size(); ++i)
      if (!folded.contains(i)) model.nodes.push_back(result_.nodes[i]);
    drop_unused_constants(model);
    return model;
  }

 private:
  static tl::unexpected<Error> refuse(const Node& node, const std::string& why) {
    return fail(ErrorKind::bad_input,
                fmt::format("cannot fold node '{}' (BatchNormalization): {}", node.name, why));
  }

  Result<Affine> affine_of(const Node& node) const {
    std::vector<std::span<const float>> numbers;
    for (std::size_t i = 1; i < 5; ++i) {
      const Tensor* tensor = i < node.inputs.size() ? result_.initializer(node.inputs[i]) : nullptr;
      if (!tensor || tensor->type != ElementType::float32 ||
          (i > 1 && tensor->element_count() != std::int64_t(numbers[0].size())))
        return refuse(node, "it needs four float32 constants of one length");
      numbers.push_back(tensor->as<float>());
    }
    if (node.integer("training_mode", 0) != 0) return refuse(node, "it is in training mode");
    const double epsilon = node.real("epsilon", 1e-5F);
    Affine affine;
    for (std::size_t c = 0; c < numbers[0].size(); ++c) {
      affine.factor.push_back(numbers[0][c] / std::sqrt(numbers[3][c] + epsilon));
      affine.shift.push_back(numbers[1][c] - numbers[2][c] * affine.factor[c]);
    }
    return affine;
  }

  /// Folds into the layer before, unless something else reads that layer's output.
  Result<bool> absorb(const Node& norm, const Affine& affine) {
    const auto before = producer_.find(norm.inputs[0]);
    if (before == producer_.end() || readers_.at(norm.inputs[0]) != 1) return false;
    Node& layer = result_.nodes[before->second];
    const bool transposed = layer.op_type == "Gemm" && layer.integer("transB", 0) == 1;
    if (!layer.domain.empty() || (layer.op_type != "Conv" && !transposed)) return false;
    const Tensor* weights = result_.initializer(layer.inputs[1]);
    const bool has_bias = layer.inputs.size() > 2 && !layer.inputs[2].empty();
    const Tensor* bias = has_bias ? result_.initializer(layer.inputs[2]) : nullptr;
    const std::size_t channels = affine.factor.size();
    // Shared or computed weights stay as they are.
    if (!weights || weights->type != ElementType::float32 || readers_.at(layer.inputs[1]) != 1 ||
        (has_bias && (!fits(bias, channels) || readers_.at(layer.inputs[2]) != 1)))
      return false;
    if (weights->shape.empty() || weights->shape[0] != std::int64_t(channels))
      return refuse(norm, fmt::format("it has {} channels, layer '{}' has {}", channels, layer.name,
                                      weights->shape.empty() ? 0 : weights->shape[0]));
    store(layer, *weights, bias, affine);
    layer.outputs = norm.outputs;
    producer_[norm.outputs[0]] = before->second;
    return true;
  }

  /// A Gemm may give one number for all its outputs.
  static bool fits(const Tensor* bias, std::size_t channels) {
    return bias && bias->type == ElementType::float32 &&
           (bias->element_count() == 1 || bias->element_count() == std::int64_t(channels));
  }

  void store(Node& layer, const Tensor& weights, const Tensor* bias, const Affine& affine) {
    const auto old_weights = weights.as<float>();
    const std::size_t channels = affine.factor.size();
    const std::size_t row = old_weights.size() / channels;
    const double beta = layer.op_type == "Gemm" ? layer.real("beta", 1) : 1.0;
    std::vector<double> old_bias(channels, 0.0);
    if (bias)
      for (std::size_t c = 0; c < channels; ++c)
        old_bias[c] = beta * bias->as<float>()[bias->element_count() == 1 ? 0 : c];
    std::vector<float> new_weights;
    std::vector<float> new_bias;
    for (std::size_t i = 0; i < old_weights.size(); ++i)
      new_weights.push_back(float(old_weights[i] * affine.factor[i / row]));
    for (std::size_t c = 0; c < channels; ++c)
      new_bias.push_back(float(old_bias[c] * affine.factor[c] + affine.shift[c]));
    const std::string bias_name = bias ? layer.inputs[2] : unused(layer.name + ".bias");
    layer.attributes.erase("beta");
    const std::vector<std::int64_t> shape = weights.shape;
    constant(layer.inputs[1], shape, new_weights);
    layer.inputs.resize(3);
    layer.inputs[2] = bias_name;
    constant(bias_name, {std::int64_t(channels)}, new_bias);
  }

  /// A depthwise 1x1 convolution says the same as a normalization that nothing can absorb.
  Status stand_alone(Node& norm, const Affine& affine) {
    if (is_flat(norm.inputs[0]))
      return refuse(norm, "no layer before it can take it in, and its input is no image");
    const auto channels = std::int64_t(affine.factor.size());
    const std::vector<float> factor(affine.factor.begin(), affine.factor.end());
    const std::vector<float> shift(affine.shift.begin(), affine.shift.end());
    const std::string weight_name = unused(norm.name + ".weight");
    const std::string bias_name = unused(norm.name + ".bias");
    constant(weight_name, {channels, 1, 1, 1}, factor);
    constant(bias_name, {channels}, shift);
    norm.op_type = "Conv";
    norm.inputs = {norm.inputs[0], weight_name, bias_name};
    norm.attributes = {{"group", channels}, {"kernel_shape", std::vector<std::int64_t>{1, 1}}};
    return {};
  }

  /// Whether a tensor is [N, C] and not [N, C, height, width].
  bool is_flat(std::string tensor) const {
    for (auto found = producer_.find(tensor); found != producer_.end();
         found = producer_.find(tensor)) {
      const Node& node = result_.nodes[found->second];
      if (node.op_type == "Gemm" || node.op_type == "Flatten") return true;
      if (node.op_type == "Conv" || node.inputs.empty()) return false;
      if (node.op_type == "Reshape") {
        const Tensor* shape = result_.initializer(node.inputs[1]);
        return shape && shape->element_count() == 2;
      }
      tensor = node.inputs[0];
    }
    return false;
  }

  /// A name that no tensor has yet.
  std::string unused(std::string name) const {
    while (result_.initializers.contains(name) || producer_.contains(name))
      name += "_";
    return name;
  }

  void constant(const std::string& name, const std::vector<std::int64_t>& shape,
                const std::vector<float>& values) {
    result_.initializers[name] = Tensor::of<float>(name, ElementType::float32, shape, values);
    readers_[name] = 1;
  }

  static void drop_unused_constants(Model& model) {
    std::set<std::string> used;
    for (const Node& node : model.nodes)
      used.insert(node.inputs.begin(), node.inputs.end());
    for (const ValueInfo& output : model.outputs)
      used.insert(output.name);
    std::erase_if(model.initializers, [&](const auto& each) { return !used.contains(each.first); });
  }

  Model result_;
  std::map<std::string, std::size_t> producer_;
  std::map<std::string, int> readers_;
};

}  // namespace

Result<Model> fold_batch_norm(const Model& model) {
  return Folder(model).run();
}

}  // namespace assay::onnx
