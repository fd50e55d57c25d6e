#include "compress/train/torchscript.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "compress/train/interpreter.hpp"
#include "compress/train/torchscript_operators.hpp"

namespace assay {
namespace {

namespace jit = torch::jit;
namespace prim = c10::prim;

// Images the method is run on, and others it is compared on: sizes that were taken for numbers
// differ between the two.
constexpr std::int64_t followed_images = 3;
constexpr std::int64_t compared_images = 2;
// Of the largest output. The two compute the same operators; only their order of summing differs.
constexpr double tolerance = 1e-3;

/// Thrown inside this file only: the method cannot be followed.
struct Refusal {
  std::string why;
};

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

/// Values in [-1, 1], the same at every run.
at::Tensor images(std::int64_t count, const ImageExtent& extent) {
  const std::int64_t numbers = count * extent[0] * extent[1] * extent[2];
  return at::arange(numbers, at::kFloat)
      .mul(0.37F)
      .sin()
      .reshape({count, extent[0], extent[1], extent[2]});
}

/// Runs a graph node by node and writes down what becomes of the image.
class Follower {
 public:
  explicit Follower(const jit::Module& module) : module_(module) {}

  onnx::Model run(const ImageExtent& image) {
    const jit::Method method = module_.get_method("forward");
    const std::shared_ptr<jit::Graph> graph = method.graph()->copy();
    jit::Inline(*graph);
    if (graph->inputs().size() != 2 || graph->outputs().size() != 1)
      throw Refusal{"its forward method must take one image and give one tensor"};
    values_[graph->inputs()[0]] = {module_._ivalue(), "", false, {}};
    values_[graph->inputs()[1]] = {images(followed_images, image), "input", true, {}};
    follow(*graph->block());
    const ScriptArgument& output = value(graph->outputs()[0]);
    if (!output.computed || !output.value.isTensor())
      throw Refusal{"its forward method must give one tensor that is computed from the image"};
    onnx::Model model = std::move(writer_.model());
    model.graph_name = "torchscript";
    model.inputs = {{"input", onnx::ElementType::float32, {-1, image[0], image[1], image[2]}}};
    std::vector<std::int64_t> shape = output.value.toTensor().sizes().vec();
    if (!shape.empty()) shape[0] = -1;
    model.outputs = {{output.name, onnx::ElementType::float32, std::move(shape)}};
    return model;
  }

 private:
  const ScriptArgument& value(const jit::Value* known) const { return values_.at(known); }

  void follow(const jit::Block& block) {
    for (const jit::Node* node : block.nodes())
      follow(*node);
  }

  void follow(const jit::Node& node) {
    switch (node.kind()) {
      case prim::Constant:
        return define(node, 0, *jit::toIValue(node.output()));
      case prim::GetAttr:
        return get_attribute(node);
      case prim::ListConstruct:
        return make_list(node);
      case prim::TupleConstruct:
        return make_tuple(node);
      case prim::TupleUnpack:
      case prim::ListUnpack:
        return unpack(node);
      case prim::If:
        return branch(node);
      case prim::RaiseException:
        throw refused(node, "is reached");
      default:
        return call(node);
    }
  }

  void define(const jit::Node& node, std::size_t output, c10::IValue value) {
    values_[node.outputs()[output]] = {std::move(value), "", false, {}};
  }

  void get_attribute(const jit::Node& node) {
    const ScriptArgument& object = value(node.input());
    const std::string& name = node.s(c10::attr::name);
    const std::string path = object.name.empty() ? name : object.name + "." + name;
    values_[node.output()] = {object.value.toObject()->getAttr(name), path, false, {}};
  }

  void make_list(const jit::Node& node) {
    const auto type = node.output()->type()->expect<c10::ListType>();
    ScriptArgument made{c10::impl::GenericList(type->getElementType()), "", false, {}};
    c10::List<c10::IValue> list = made.value.toList();
    for (const jit::Value* input : node.inputs()) {
      const ScriptArgument& element = value(input);
      list.push_back(element.value);
      made.computed |= element.computed;
    }
    if (made.computed)
      for (const jit::Value* input : node.inputs())
        made.names.push_back(writer_.input(value(input)));
    values_[node.output()] = std::move(made);
  }

  void make_tuple(const jit::Node& node) {
    std::vector<c10::IValue> elements;
    for (const jit::Value* input : node.inputs()) {
      if (value(input).computed) throw refused(node, "holds a tensor computed from the image");
      elements.push_back(value(input).value);
    }
    define(node, 0, c10::ivalue::Tuple::create(std::move(elements)));
  }

  void unpack(const jit::Node& node) {
    const ScriptArgument& whole = value(node.input());
    if (whole.computed) throw refused(node, "takes apart what is computed from the image");
    const std::vector<c10::IValue> elements = whole.value.isTuple()
                                                  ? whole.value.toTupleRef().elements().vec()
                                                  : whole.value.toListRef().vec();
    for (std::size_t i = 0; i < node.outputs().size(); ++i)
      define(node, i, elements.at(i));
  }

  void branch(const jit::Node& node) {
    const ScriptArgument& condition = value(node.input());
    const jit::Block& taken = *node.blocks()[condition.value.toBool() ? 0 : 1];
    follow(taken);
    for (std::size_t i = 0; i < node.outputs().size(); ++i)
      values_[node.outputs()[i]] = value(taken.outputs()[i]);
  }

  /// Computes an operator; where a tensor comes out of the image, writes it too.
  void call(const jit::Node& node) {
    if (!node.maybeOperator()) throw refused(node, "is not supported");
    ScriptCall call{std::string(node.kind().toUnqualString()), {}, {}};
    bool computed = false;
    jit::Stack stack;
    for (const jit::Value* input : node.inputs()) {
      call.arguments.push_back(value(input));
      computed |= value(input).computed;
      stack.push_back(value(input).value);
    }
    node.getOperation()(stack);
    for (std::size_t i = 0; i < stack.size(); ++i)
      define(node, i, stack[i]);
    const auto holds_tensors = [](const c10::IValue& value) {
      return value.isTensor() || value.isTensorList();
    };
    if (!computed || std::none_of(stack.begin(), stack.end(), holds_tensors)) return;
    if (stack.size() != 1 || !stack[0].isTensor() || !node.kind().is_aten())
      throw refused(node, "is not supported");
    call.output = stack[0].toTensor();
    write(node, std::move(call));
  }

  void write(const jit::Node& node, ScriptCall call) {
    const bool in_place = call.op.back() == '_';
    if (in_place) call.op.pop_back();
    std::string written;
    try {
      written = writer_.write(call);
    } catch (const UnsupportedCall& unsupported) {
      throw refused(node, unsupported.why);
    }
    const std::string before = call.arguments[0].name;
    // Everyone who knows the old tensor sees the new numbers.
    if (in_place)
      for (auto& [known, argument] : values_)
        if (argument.computed && argument.name == before) argument.name = written;
    ScriptArgument& result = values_[node.output()];
    result.name = written;
    result.computed = true;
  }

  /// "aten::gelu in block.act": the modules that the call came through.
  Refusal refused(const jit::Node& node, const std::string& why) const {
    std::string place = node.scopeName();
    if (place.empty()) place = jit::utils::getNodesModuleHierarchy(node);
    return {fmt::format("operator {}{} {}", node.kind().toQualString(),
                        place.empty() ? "" : fmt::format(" in {}", place), why)};
  }

  const jit::Module& module_;
  ScriptWriter writer_;
  std::unordered_map<const jit::Value*, ScriptArgument> values_;
};

/// Compares the model with the method on images it was not made from.
Status compare(const onnx::Model& model, jit::Module& module, const ImageExtent& image,
               const std::string& source) {
  const at::Tensor input = images(compared_images, image).flip(0);
  const at::Tensor expected = module.forward({input.clone()}).toTensor().contiguous();
  const at::Tensor plain = input.contiguous();
  ASSAY_TRY(const Interpreter interpreter, Interpreter::create(model, source));
  ASSAY_TRY(
      const std::vector<float> found,
      interpreter.run({plain.data_ptr<float>(), std::size_t(plain.numel())}, int(compared_images)));
  const auto count = std::size_t(expected.numel());
  const float* wanted = expected.data_ptr<float>();
  double largest = 0;
  double difference = found.size() == count ? 0 : HUGE_VAL;
  for (std::size_t i = 0; i < std::min(count, found.size()); ++i) {
    largest = std::max(largest, std::abs(double(wanted[i])));
    difference = std::max(difference, std::abs(double(wanted[i]) - double(found[i])));
  }
  if (difference <= tolerance * largest) return {};
  return fail(ErrorKind::bad_input,
              fmt::format("{}: what was read computes other numbers than the file (they differ by "
                          "{:.2g} of {:.2g}); its forward method does something that depends on "
                          "the number of images or changes tensors through others",
                          source, difference, largest));
}

}  // namespace

Result<onnx::Model> read_torchscript(const std::filesystem::path& path, const ImageExtent& image) {
  const std::string source = path.string();
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorKind::bad_input, fmt::format("{}: {}", source, why));
  };
  const c10::NoGradGuard no_gradients;
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none)) return refuse("cannot read it: no such file");
  std::optional<jit::Module> module;
  try {
    module = jit::load(source, c10::kCPU);
    module->eval();
    // Parameters stay attributes, so that layers keep their names.
    module = jit::freeze_module(*module, {}, true, true);
  } catch (const std::exception& error) {
    return refuse(
        fmt::format("is no TorchScript file, or it is damaged: {}", first_line(error.what())));
  }
  try {
    onnx::Model model = Follower(*module).run(image);
    ASSAY_CHECK(compare(model, *module, image, source));
    return model;
  } catch (const Refusal& refusal) {
    return refuse(refusal.why);
  } catch (const std::exception& error) {
    return refuse(fmt::format("cannot be run on images of {} x {} x {}: {}", image[0], image[1],
                              image[2], first_line(error.what())));
  }
}

}  // namespace assay
