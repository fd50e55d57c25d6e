#include "compress/methods/channel_groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace assay {
namespace {

/// What is known of a tensor that carries a group's channels along axis 1.
struct Channels {
  std::size_t group;
  std::int64_t width = 1;  ///< consecutive features of each channel; 0: not known before a reader
  std::vector<bool> zero;  ///< channels that are always 0
};

const onnx::Tensor* float_constant(const onnx::Model& model, const onnx::Node& node,
                                   std::size_t input) {
  if (node.inputs.size() <= input) return nullptr;
  const onnx::Tensor* tensor = model.initializer(node.inputs[input]);
  return tensor && tensor->type == onnx::ElementType::float32 ? tensor : nullptr;
}

bool has_input(const onnx::Node& node, std::size_t input) {
  return node.inputs.size() > input && !node.inputs[input].empty();
}

/// Which of the `count` equal parts of a constant are all 0.
std::vector<bool> zero_parts(const onnx::Tensor& tensor, std::int64_t count) {
  const auto values = tensor.as<float>();
  const std::size_t length = values.size() / std::size_t(count);
  std::vector<bool> zero;
  for (std::size_t i = 0; i < std::size_t(count); ++i)
    zero.push_back(std::ranges::all_of(values.subspan(i * length, length),
                                       [](float value) { return value == 0; }));
  return zero;
}

std::vector<bool> both(std::vector<bool> a, const std::vector<bool>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    a[i] = a[i] && b[i];
  return a;
}

std::vector<bool> either(std::vector<bool> a, const std::vector<bool>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    a[i] = a[i] || b[i];
  return a;
}

class Planner {
 public:
  explicit Planner(const onnx::Model& model) : model_(model) {
    for (const onnx::Node& node : model.nodes)
      for (const std::string& input : node.inputs)
        ++readers_[input];
  }

  Result<ChannelPlan> run() {
    plan_.group_of_node.resize(model_.nodes.size());
    for (std::size_t i = 0; i < model_.nodes.size(); ++i)
      ASSAY_CHECK(visit(i));
    for (const onnx::ValueInfo& output : model_.outputs)
      keep(output.name, "its output is the model's output");
    return std::move(plan_);
  }

 private:
  static tl::unexpected<Error> refuse(const onnx::Node& node, const std::string& why) {
    return fail(ErrorKind::bad_input, fmt::format("cannot remove filters around node '{}' ({}): {}",
                                                  node.name, node.op_type, why));
  }

  Status visit(std::size_t index) {
    const onnx::Node& node = model_.nodes[index];
    static const std::set<std::string> passing = {
        "Relu",        "LeakyRelu",         "Clip",   "Tanh", "Identity", "Dropout", "MaxPool",
        "AveragePool", "GlobalAveragePool", "Flatten"};
    if (node.domain.empty()) {
      if (node.op_type == "Conv") return visit_convolution(index);
      if (node.op_type == "Gemm") return visit_dense(index);
      if (node.op_type == "BatchNormalization") return visit_normalization(node);
      if (passing.contains(node.op_type) && keeps_zeros(node)) {
        pass(node);
        return {};
      }
    }
    stop_at(node);
    return {};
  }

  /// Whether each channel of the output depends on that of the input alone, and is 0 where it is.
  bool keeps_zeros(const onnx::Node& node) const {
    if (node.outputs.size() != 1) return false;
    if (node.op_type == "Flatten") return node.integer("axis", 1) == 1;
    if (node.op_type != "Clip") return true;
    const auto bound_fits = [&](std::size_t input, auto fits) {
      if (!has_input(node, input)) return true;
      const onnx::Tensor* bound = float_constant(model_, node, input);
      return bound && bound->element_count() == 1 && fits(bound->as<float>()[0]);
    };
    return node.attributes.empty() && bound_fits(1, [](float low) { return low <= 0; }) &&
           bound_fits(2, [](float high) { return high >= 0; });
  }

  void pass(const onnx::Node& node) {
    const Channels* input = find(node.inputs[0]);
    if (!input) return;
    Channels output = *input;
    if (node.op_type == "Flatten") output.width = 0;
    tensors_.insert_or_assign(node.outputs[0], std::move(output));
  }

  Channels* find(const std::string& tensor) {
    const auto found = tensors_.find(tensor);
    return found == tensors_.end() ? nullptr : &found->second;
  }

  void keep(const std::string& tensor, const std::string& why) {
    if (Channels* channels = find(tensor)) keep_group(channels->group, why);
  }
  void keep_group(std::size_t index, const std::string& why) {
    ChannelGroup& group = plan_.groups[index];
    if (!group.kept_because) group.kept_because = why;
  }

  static std::string reached(const onnx::Node& node) {
    return fmt::format("its output reaches '{}' ({})", node.name, node.op_type);
  }
  /// A node that needs all channels of its inputs.
  void stop_at(const onnx::Node& node) {
    for (const std::string& input : node.inputs)
      keep(input, reached(node));
  }

  bool is_own(const onnx::Node& node, std::size_t input) const {
    return float_constant(model_, node, input) && readers_.at(node.inputs[input]) == 1;
  }

  /// Notes that a node's constant has entries of a group's channels.
  void belongs(std::size_t group, const onnx::Node& node, std::size_t input, std::size_t axis,
               std::int64_t width = 1) {
    plan_.groups[group].constants.push_back({node.inputs[input], axis, width});
  }

  bool has_own_filters(const onnx::Node& node, std::int64_t filters) const {
    if (filters < 1 || !is_own(node, 1)) return false;
    if (!has_input(node, 2)) return true;
    return is_own(node, 2) &&
           float_constant(model_, node, 2)->shape == std::vector<std::int64_t>{filters};
  }

  /// The filters of a node that has its own, which are 0 where weights and bias are and, unless
  /// `input` says that their input is 0, nowhere else. Notes its constants as the group's.
  std::vector<bool> take_filters(const onnx::Node& node, std::size_t group,
                                 const std::vector<bool>& input) {
    const std::int64_t filters = plan_.groups[group].channels;
    std::vector<bool> zero = either(zero_parts(*float_constant(model_, node, 1), filters), input);
    belongs(group, node, 1, 0);
    if (!has_input(node, 2)) return zero;
    belongs(group, node, 2, 0);
    return both(zero, zero_parts(*float_constant(model_, node, 2), filters));
  }

  /// The group that the filters of a node make.
  void make_group(std::size_t index, const onnx::Tensor* weights) {
    const onnx::Node& node = model_.nodes[index];
    const std::size_t group = plan_.groups.size();
    const std::int64_t filters = weights && !weights->shape.empty() ? weights->shape[0] : 0;
    std::vector<bool> zero(std::size_t(filters), false);
    plan_.groups.push_back({filters, {}, {}, {}, zero});
    plan_.group_of_node[index] = group;
    if (has_own_filters(node, filters))
      zero = take_filters(node, group, zero);
    else
      keep_group(group,
                 "its weights and biases are not float32 constants of its own, one a filter");
    tensors_.insert_or_assign(node.outputs[0], Channels{group, 1, std::move(zero)});
  }

  /// A layer that sums over all channels of its input, which are axis 1 of its weights.
  Status read_all(const onnx::Node& node, const onnx::Tensor* weights) {
    Channels* input = find(node.inputs[0]);
    if (!input || !weights || !is_own(node, 1)) {
      stop_at(node);
      return {};
    }
    if (has_input(node, 2)) keep(node.inputs[2], reached(node));
    ChannelGroup& group = plan_.groups[input->group];
    if (group.channels == 0) return {};
    const std::int64_t features = weights->shape.size() > 1 ? weights->shape[1] : 0;
    const std::int64_t width = input->width == 0 ? features / group.channels : input->width;
    if (width < 1 || width * group.channels != features)
      return refuse(node, fmt::format("its weights are for {} inputs, the layer before has {} "
                                      "filters",
                                      features, group.channels));
    belongs(input->group, node, 1, 1, width);
    for (std::size_t i = 0; i < group.needed.size(); ++i)
      group.needed[i] = group.needed[i] || !input->zero[i];
    return {};
  }

  Status visit_convolution(std::size_t index) {
    const onnx::Node& node = model_.nodes[index];
    const onnx::Tensor* weights = float_constant(model_, node, 1);
    const std::int64_t groups = node.integer("group", 1);
    if (groups == 1) {
      ASSAY_CHECK(read_all(node, weights));
      make_group(index, weights);
      return {};
    }
    const Channels* input = find(node.inputs[0]);
    const bool is_depthwise = weights && weights->shape.size() > 1 && weights->shape[1] == 1 &&
                              weights->shape[0] == groups;
    if (input && is_depthwise && has_own_filters(node, groups))
      return pass_depthwise(index, *input);
    stop_at(node);
    make_group(index, weights);
    keep_group(*plan_.group_of_node[index],
               is_depthwise && !input ? "its filters belong to channels that no layer makes"
                                      : "it is a grouped convolution");
    return {};
  }

  Status pass_depthwise(std::size_t index, const Channels& input) {
    const onnx::Node& node = model_.nodes[index];
    ChannelGroup& group = plan_.groups[input.group];
    const std::int64_t filters = node.integer("group", 1);
    if (group.channels != filters)
      return refuse(
          node, fmt::format("it has {} filters, the layer before has {}", filters, group.channels));
    std::vector<bool> zero = take_filters(node, input.group, input.zero);
    group.depthwise.push_back(index);
    plan_.group_of_node[index] = input.group;
    tensors_.insert_or_assign(node.outputs[0], Channels{input.group, 1, std::move(zero)});
    return {};
  }

  Status visit_dense(std::size_t index) {
    const onnx::Node& node = model_.nodes[index];
    const onnx::Tensor* weights = float_constant(model_, node, 1);
    const bool is_plain = node.integer("transB", 0) == 1 && node.integer("transA", 0) == 0;
    if (is_plain) {
      ASSAY_CHECK(read_all(node, weights));
      make_group(index, weights);
    } else {
      stop_at(node);
    }
    return {};
  }

  Status visit_normalization(const onnx::Node& node) {
    const Channels* input = find(node.inputs[0]);
    bool is_plain = input && input->width == 1 && node.outputs.size() == 1;
    for (std::size_t i = 1; i <= 4; ++i)
      is_plain = is_plain && is_own(node, i);
    if (!is_plain) {
      stop_at(node);
      return {};
    }
    const std::int64_t channels = plan_.groups[input->group].channels;
    for (std::size_t i = 1; i <= 4; ++i) {
      const onnx::Tensor& entries = *float_constant(model_, node, i);
      if (entries.shape != std::vector<std::int64_t>{channels})
        return refuse(node, fmt::format("it normalizes {} channels, the layer before has {}",
                                        entries.element_count(), channels));
      belongs(input->group, node, i, 0);
    }
    const auto zeros_of = [&](std::size_t i) {
      return zero_parts(*float_constant(model_, node, i), channels);
    };
    // y = scale * (x - mean) / sqrt(variance + epsilon) + bias
    std::vector<bool> zero = both(zeros_of(2), either(zeros_of(1), both(input->zero, zeros_of(3))));
    tensors_.insert_or_assign(node.outputs[0], Channels{input->group, 1, std::move(zero)});
    return {};
  }

  const onnx::Model& model_;
  std::map<std::string, int> readers_;
  std::map<std::string, Channels> tensors_;
  ChannelPlan plan_;
};

}  // namespace

Result<ChannelPlan> plan_channels(const onnx::Model& model) {
  return Planner(model).run();
}

}  // namespace assay
