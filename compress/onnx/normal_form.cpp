#include "compress/onnx/normal_form.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "compress/onnx/shape_value.hpp"

namespace assay::onnx {
namespace {

using Integers = std::vector<std::int64_t>;

constexpr std::int64_t written_opset = 17;

/// Weights [in][out] as [out][in].
Tensor transposed(const Tensor& tensor, std::string name) {
  const auto rows = static_cast<std::size_t>(tensor.shape[0]);
  const auto columns = static_cast<std::size_t>(tensor.shape[1]);
  const auto from = tensor.as<float>();
  std::vector<float> values(from.size());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t o = 0; o < columns; ++o)
      values[o * rows + i] = from[i * columns + o];
  return Tensor::of<float>(std::move(name), ElementType::float32,
                           {tensor.shape[1], tensor.shape[0]}, values);
}

bool is_matrix(const Tensor* tensor) {
  return tensor && tensor->type == ElementType::float32 && tensor->shape.size() == 2;
}

/// Rewrites node after node; values that a rewriting makes superfluous get another name's.
class NormalForm {
 public:
  NormalForm(const Model& model, const std::string& source) : source_(source), result_(model) {
    result_.nodes.clear();
    result_.opset = written_opset;
    for (const Node& node : model.nodes)
      for (const std::string& input : node.inputs)
        ++readers_[input];
    for (const ValueInfo& output : model.outputs)
      ++readers_[output.name];
    if (!model.inputs.empty() && !model.inputs[0].shape.empty())
      file_batch_ = model.inputs[0].shape[0];
  }

  Result<Model> run(const std::vector<Node>& nodes) {
    for (Node node : nodes) {
      for (std::string& input : node.inputs)
        if (const auto other = renamed_.find(input); other != renamed_.end()) input = other->second;
      ASSAY_CHECK(rewrite(std::move(node)));
    }
    for (ValueInfo& output : result_.outputs) {
      if (const auto other = renamed_.find(output.name); other != renamed_.end())
        output.name = other->second;
      if (!output.shape.empty()) output.shape[0] = -1;
    }
    for (ValueInfo& input : result_.inputs)
      if (!input.shape.empty()) input.shape[0] = -1;
    give_everyone_its_own();
    drop_unread_constants();
    return std::move(result_);
  }

 private:
  tl::unexpected<Error> refuse(const Node& node, const std::string& why) const {
    return fail(ErrorKind::bad_input,
                fmt::format("{}: node '{}' ({}) {}", source_, node.name, node.op_type, why));
  }

  Status rewrite(Node node) {
    using Rewriting = Status (NormalForm::*)(Node);
    static const std::map<std::string, Rewriting> rewritings = {
        {"Add", &NormalForm::add},
        {"AveragePool", &NormalForm::average_pool},
        {"BatchNormalization", &NormalForm::batch_normalization},
        {"Clip", &NormalForm::clip},
        {"Dropout", &NormalForm::dropout},
        {"Gemm", &NormalForm::gemm},
        {"Identity", &NormalForm::identity},
        {"MatMul", &NormalForm::matmul},
        {"ReduceMean", &NormalForm::reduce_mean},
        {"Reshape", &NormalForm::reshape},
        {"Squeeze", &NormalForm::squeeze},
    };
    const auto value_of = [this](const std::string& name) { return shape_value(name); };
    if (auto shape = apply_to_shapes(node, value_of)) {
      computed_[node.outputs[0]] = std::move(*shape);
      return {};
    }
    const auto rewriting = rewritings.find(node.op_type);
    if (node.domain.empty() && rewriting != rewritings.end())
      return (this->*rewriting->second)(std::move(node));
    return keep(std::move(node));
  }

  Status keep(Node node) {
    for (const std::string& input : node.inputs)
      if (computed_.contains(input))
        return refuse(node, "reads a shape that is computed while the network runs");
    static const std::set<std::string> elementwise{
        "BatchNormalization", "Clip", "HardSigmoid", "Relu", "Sigmoid", "Softmax"};
    if (node.op_type == "Flatten" || node.op_type == "Gemm" ||
        (elementwise.contains(node.op_type) && flat_.contains(node.inputs[0])))
      flat_.insert(node.outputs[0]);
    result_.nodes.push_back(std::move(node));
    return {};
  }

  const Tensor* constant(const Node& node, std::size_t input) const {
    return input < node.inputs.size() ? result_.initializer(node.inputs[input]) : nullptr;
  }

  void add_constant(Tensor tensor) {
    std::string name = tensor.name;
    result_.initializers[std::move(name)] = std::move(tensor);
  }

  std::optional<ShapeValue> shape_value(const std::string& name) const {
    if (const auto found = computed_.find(name); found != computed_.end()) return found->second;
    // A constant alone is no shape: weights of int64 exist too.
    const Tensor* tensor = result_.initializer(name);
    return tensor ? constant_shape(*tensor) : std::nullopt;
  }

  Status identity(Node node) {
    if (const Tensor* tensor = constant(node, 0)) {
      Tensor copy = *tensor;
      copy.name = node.outputs[0];
      add_constant(std::move(copy));
    } else {
      renamed_[node.outputs[0]] = node.inputs[0];
    }
    return {};
  }

  Status dropout(Node node) {
    if (node.outputs.size() > 1 && readers_.contains(node.outputs[1]))
      return refuse(node, "has a mask that another node reads");
    if (const Tensor* training = constant(node, 2);
        node.inputs.size() > 2 && !node.inputs[2].empty())
      if (!training || std::ranges::count(training->data, std::byte{0}) !=
                           static_cast<std::ptrdiff_t>(training->data.size()))
        return refuse(node, "is exported for training; export the network for inference");
    return identity(std::move(node));
  }

  /// The axes of a node, an attribute or a constant input; nothing when they are computed.
  std::optional<Integers> axes_of(const Node& node) const {
    if (node.inputs.size() < 2) return node.integers("axes", {});
    const Tensor* axes = constant(node, 1);
    if (!axes || axes->type != ElementType::int64) return std::nullopt;
    const auto values = axes->as<std::int64_t>();
    return Integers(values.begin(), values.end());
  }

  /// Whether the axes are height and width of [N, channels, height, width].
  bool over_height_and_width(const Node& node) const {
    auto axes = axes_of(node);
    if (!axes || axes->size() != 2) return false;
    for (std::int64_t& axis : *axes)
      if (axis < 0) axis += 4;
    std::ranges::sort(*axes);
    return *axes == Integers{2, 3};
  }

  Status flatten(Node node) {
    node.op_type = "Flatten";
    node.inputs.resize(1);
    node.attributes = {{"axis", std::int64_t{1}}};
    return keep(std::move(node));
  }

  Status squeeze(Node node) {
    return over_height_and_width(node) ? flatten(std::move(node)) : keep(std::move(node));
  }

  Status reshape(Node node) {
    if (node.integer("allowzero", 0) != 0) return refuse(node, "has allowzero, which is unknown");
    const auto shape = node.inputs.size() == 2 ? shape_value(node.inputs[1]) : std::nullopt;
    if (!shape) return refuse(node, "has a shape that is computed while the network runs");
    if (shape->size() < 2) return refuse(node, "moves values between the images of a batch");
    const Extent& images = shape->front();
    const bool keeps_images =
        images.kind == Extent::Kind::batch ||
        (images.kind == Extent::Kind::number &&
         (images.value == 0 || images.value == -1 || images.value == file_batch_));
    if (!keeps_images) return refuse(node, "moves values between the images of a batch");
    if (shape->size() == 2) return flatten(std::move(node));
    Integers numbers{0};
    for (std::size_t i = 1; i < shape->size(); ++i) {
      if ((*shape)[i].kind != Extent::Kind::number)
        return refuse(node, "has a shape that depends on more than the number of images");
      numbers.push_back((*shape)[i].value);
    }
    node.inputs[1] = node.outputs[0] + ".shape";
    add_constant(Tensor::of<std::int64_t>(node.inputs[1], ElementType::int64,
                                          {static_cast<std::int64_t>(numbers.size())}, numbers));
    result_.nodes.push_back(std::move(node));
    return {};
  }

  Status reduce_mean(Node node) {
    if (!over_height_and_width(node)) return keep(std::move(node));
    const bool drops_axes = node.integer("keepdims", 1) == 0;
    node.op_type = "GlobalAveragePool";
    node.inputs.resize(1);
    node.attributes.clear();
    if (!drops_axes) return keep(std::move(node));
    Node flat{node.name + ".flatten", "Flatten", "", {node.outputs[0] + ".mean"}, node.outputs, {}};
    node.outputs = flat.inputs;
    ASSAY_CHECK(keep(std::move(node)));
    return flatten(std::move(flat));
  }

  Status average_pool(Node node) {
    const Integers dilations = node.integers("dilations", {});
    if (std::ranges::any_of(dilations, [](std::int64_t step) { return step != 1; }))
      return refuse(node, "is dilated, which is not supported");
    node.attributes.erase("dilations");
    return keep(std::move(node));
  }

  Status batch_normalization(Node node) {
    if (node.integer("spatial", 1) != 1) return refuse(node, "is not per channel (spatial = 0)");
    for (std::size_t i = 1; i < node.outputs.size(); ++i)
      if (readers_.contains(node.outputs[i]))
        return refuse(node, "puts out statistics that another node reads");
    node.outputs.resize(1);
    node.attributes.erase("spatial");
    return keep(std::move(node));
  }

  Status clip(Node node) {
    for (const char* limit : {"min", "max"}) {
      const auto value = node.attributes.find(limit);
      const bool given = value != node.attributes.end();
      if (!given && (node.inputs.size() > 1 || !node.attributes.contains("max"))) continue;
      node.inputs.push_back(given ? fmt::format("{}.{}", node.outputs[0], limit) : "");
      if (!given) continue;
      const float number = std::get<float>(value->second);
      add_constant(Tensor::of<float>(node.inputs.back(), ElementType::float32, {}, {&number, 1}));
    }
    node.attributes.clear();
    return keep(std::move(node));
  }

  Status matmul(Node node) {
    if (!is_matrix(constant(node, 1)) || !flat_.contains(node.inputs[0]))
      return keep(std::move(node));
    node.op_type = "Gemm";
    multiplied_.insert(node.outputs[0]);
    return gemm(std::move(node));
  }

  Status gemm(Node node) {
    const Tensor* weights = constant(node, 1);
    if (!is_matrix(weights)) return keep(std::move(node));
    if (node.integer("transB", 0) == 0) {
      const std::string name = node.inputs[1] + ".transposed";
      add_constant(transposed(*weights, name));
      node.inputs[1] = name;
      node.attributes["transB"] = std::int64_t{1};
    }
    const std::int64_t outputs = result_.initializers.at(node.inputs[1]).shape[0];
    if (const Tensor* bias = constant(node, 2)) node.inputs[2] = as_bias(*bias, outputs);
    return keep(std::move(node));
  }

  /// The name of a constant [outputs] with the numbers of one that is broadcast to it.
  std::string as_bias(const Tensor& given, std::int64_t outputs) {
    if (given.shape == Integers{outputs} || given.type != ElementType::float32) return given.name;
    const auto values = given.as<float>();
    std::vector<float> numbers(values.begin(), values.end());
    if (numbers.size() == 1) numbers.assign(static_cast<std::size_t>(outputs), numbers[0]);
    if (static_cast<std::int64_t>(numbers.size()) != outputs) return given.name;
    const std::string name = given.name + ".row";
    add_constant(Tensor::of<float>(name, ElementType::float32, {outputs}, numbers));
    return name;
  }

  /// An Add of a constant row to a product by constants is the bias of that product.
  Status add(Node node) {
    for (const auto& [product, row] : {std::pair(0, 1), std::pair(1, 0)}) {
      const std::string& value = node.inputs.at(static_cast<std::size_t>(product));
      const Tensor* bias = constant(node, static_cast<std::size_t>(row));
      if (!multiplied_.contains(value) || readers_[value] != 1 || !bias) continue;
      Node& dense = *std::ranges::find_if(
          result_.nodes, [&](const Node& other) { return other.outputs[0] == value; });
      const std::int64_t outputs = result_.initializers.at(dense.inputs[1]).shape[0];
      const std::string name = as_bias(*bias, outputs);
      if (result_.initializers.at(name).shape != Integers{outputs}) continue;
      dense.inputs.push_back(name);
      dense.outputs = node.outputs;
      flat_.insert(node.outputs[0]);
      return {};
    }
    return keep(std::move(node));
  }

  /// Exporters store equal constants once; trained, each node's goes its own way.
  void give_everyone_its_own() {
    std::set<std::string> taken;
    for (Node& node : result_.nodes) {
      const bool norm = node.op_type == "BatchNormalization";
      if (!norm && node.op_type != "Conv" && node.op_type != "Gemm") continue;
      for (std::size_t i = norm ? 1 : 2; i < node.inputs.size(); ++i) {
        const Tensor* tensor = constant(node, i);
        if (!tensor || taken.insert(node.inputs[i]).second) continue;
        Tensor copy = *tensor;
        copy.name = fmt::format("{}.of.{}", node.inputs[i], node.outputs[0]);
        node.inputs[i] = copy.name;
        add_constant(std::move(copy));
      }
    }
  }

  void drop_unread_constants() {
    std::set<std::string> read;
    for (const Node& node : result_.nodes)
      read.insert(node.inputs.begin(), node.inputs.end());
    for (const ValueInfo& output : result_.outputs)
      read.insert(output.name);
    std::erase_if(result_.initializers,
                  [&](const auto& entry) { return !read.contains(entry.first); });
  }

  const std::string& source_;
  Model result_;
  std::int64_t file_batch_ = -1;
  std::map<std::string, int> readers_;          ///< in the model as it was read
  std::map<std::string, std::string> renamed_;  ///< value -> the one it is the same as
  std::map<std::string, ShapeValue> computed_;  ///< shapes, by the value that holds them
  std::set<std::string> flat_;                  ///< values of [N, rest]
  std::set<std::string> multiplied_;            ///< outputs of MatMul nodes that became Gemm
};

}  // namespace

Result<Model> to_normal_form(const Model& model, const std::string& source) {
  return NormalForm(model, source).run(model.nodes);
}

}  // namespace assay::onnx
