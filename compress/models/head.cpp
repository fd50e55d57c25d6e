#include "compress/models/head.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "compress/models/normal_source.hpp"

namespace assay {
namespace {

using Integers = std::vector<std::int64_t>;

constexpr std::array<std::string_view, 7> passed_through{
    "Softmax", "Flatten", "Reshape", "GlobalAveragePool", "Relu", "Dropout", "Identity"};

/// Positions of the head and of what stands between it and the output, the last one first.
struct Tail {
  std::size_t head = 0;
  std::vector<std::size_t> behind;
};

std::optional<std::size_t> producer_of(const onnx::Model& model, const std::string& value) {
  for (std::size_t i = 0; i < model.nodes.size(); ++i)
    if (std::ranges::count(model.nodes[i].outputs, value) > 0) return i;
  return std::nullopt;
}

tl::unexpected<Error> refuse(const std::string& source, const std::string& why) {
  return fail(ErrorKind::bad_input,
              fmt::format("{}: {}, so its head is unknown; a head is a Gemm or a 1x1 Conv behind "
                          "which only Softmax and reshaping follow",
                          source, why));
}

Result<Tail> find_tail(const onnx::Model& model, const std::string& source) {
  if (model.outputs.size() != 1)
    return refuse(source, fmt::format("it has {} outputs", model.outputs.size()));
  Tail tail;
  std::string value = model.outputs[0].name;
  for (auto at = producer_of(model, value); at; at = producer_of(model, value)) {
    const onnx::Node& node = model.nodes[*at];
    if (node.op_type == "Gemm" || node.op_type == "Conv") {
      tail.head = *at;
      return tail;
    }
    if (!node.domain.empty() || std::ranges::count(passed_through, node.op_type) == 0)
      return refuse(source,
                    fmt::format("its output comes from node '{}' ({})", node.name, node.op_type));
    tail.behind.push_back(*at);
    value = node.inputs.at(0);
  }
  return refuse(source, "its output comes from no layer with weights");
}

/// The weights of the head, when a head can have them.
Result<const onnx::Tensor*> head_weights(const onnx::Model& model, const onnx::Node& node,
                                         const std::string& source) {
  const onnx::Tensor* weights =
      node.inputs.size() > 1 ? model.initializer(node.inputs[1]) : nullptr;
  const auto refused = [&](const char* why) {
    return refuse(source, fmt::format("node '{}' ({}) {}", node.name, node.op_type, why));
  };
  if (!weights || weights->type != onnx::ElementType::float32)
    return refused("has no float32 constant for weights");
  if (node.op_type == "Gemm") {
    if (weights->shape.size() != 2 || node.integer("transB", 0) != 1)
      return refused("has weights that are not [outputs][inputs] (transB = 1)");
    return weights;
  }
  if (weights->shape.size() != 4 || weights->shape[2] != 1 || weights->shape[3] != 1 ||
      node.integer("group", 1) != 1)
    return refused("is a convolution with a larger window or in groups");
  return weights;
}

std::vector<float> draw(std::int64_t count, double deviation, std::uint64_t seed) {
  NormalSource source(seed);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values)
    value = static_cast<float>(deviation * source.draw());
  return values;
}

class HeadWriter {
 public:
  explicit HeadWriter(const onnx::Model& model) : model_(model) {
    for (const onnx::Node& node : model.nodes)
      for (const std::string& input : node.inputs)
        ++readers_[input];
  }

  /// Puts a constant where the head reads one. One that other nodes read too stays for them.
  void replace(onnx::Node& head, std::size_t input, Integers shape,
               const std::vector<float>& values) {
    std::string name = head.inputs[input];
    if (readers_[name] > 1) do
        name += ".head";
      while (model_.initializers.contains(name));
    head.inputs[input] = name;
    model_.initializers[name] =
        onnx::Tensor::of<float>(name, onnx::ElementType::float32, std::move(shape), values);
  }

  /// Takes a node out: its readers read its input.
  void leave_out(const std::string& output) {
    const auto gone = std::ranges::find_if(
        model_.nodes, [&](const onnx::Node& node) { return node.outputs[0] == output; });
    const std::string input = gone->inputs[0];
    model_.nodes.erase(gone);
    for (onnx::Node& node : model_.nodes)
      std::ranges::replace(node.inputs, output, input);
    if (model_.outputs[0].name == output) model_.outputs[0].name = input;
  }

  onnx::Model& model() { return model_; }

 private:
  onnx::Model model_;
  std::map<std::string, int> readers_;
};

}  // namespace

Result<std::string> find_head(const onnx::Model& model, const std::string& source) {
  ASSAY_TRY(const Tail tail, find_tail(model, source));
  ASSAY_CHECK(head_weights(model, model.nodes[tail.head], source));
  return model.nodes[tail.head].name;
}

Result<onnx::Model> replace_head(const onnx::Model& model, int outputs, std::uint64_t seed,
                                 const std::string& source) {
  if (outputs < 1)
    return fail(ErrorKind::bad_input,
                fmt::format("{}: a head of {} outputs cannot be made", source, outputs));
  ASSAY_TRY(const Tail tail, find_tail(model, source));
  const onnx::Node& old = model.nodes[tail.head];
  ASSAY_TRY(const onnx::Tensor* weights, head_weights(model, old, source));
  HeadWriter writer(model);
  onnx::Node& head = writer.model().nodes[tail.head];
  Integers shape = weights->shape;
  shape[0] = outputs;
  // As initial_network: dense layers by fan-in, convolutions by fan-out.
  const double deviation = head.op_type == "Gemm" ? 1 / std::sqrt(static_cast<double>(shape[1]))
                                                  : std::sqrt(2.0 / outputs);
  writer.replace(head, 1, shape, draw(outputs * shape[1], deviation, seed));
  if (head.inputs.size() > 2 && !head.inputs[2].empty())
    writer.replace(head, 2, {outputs}, std::vector<float>(static_cast<std::size_t>(outputs), 0.0F));
  for (const std::size_t behind : tail.behind)
    if (model.nodes[behind].op_type == "Softmax") writer.leave_out(model.nodes[behind].outputs[0]);
  writer.model().outputs[0].shape = {-1, outputs};
  return std::move(writer.model());
}

}  // namespace assay
