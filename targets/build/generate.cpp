#include "targets/build/generate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

namespace assay {
namespace {

using Text = fmt::memory_buffer;

template <class... Arguments>
void put(Text& text, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Arguments>(arguments)...);
}

/// A foreign name made safe for a // comment: no line breaks, no backslash before one.
std::string comment_text(std::string_view name) {
  std::string safe;
  for (char c : name)
    safe += (c >= ' ' && c <= '~' && c != '\\' && c != '?') ? c : '_';
  return safe;
}

std::string shape_text(const ActivationTensor& tensor) {
  return fmt::format("{}x{}x{}", tensor.height, tensor.width, tensor.channels);
}

std::string window_text(const IntegerLayer& layer) {
  const bool slides = layer.op == IntegerOp::convolution || layer.op == IntegerOp::depthwise ||
                      layer.op == IntegerOp::max_pool || layer.op == IntegerOp::average_pool;
  if (!slides) return "";
  const Window& w = layer.window;
  return fmt::format(", window {}x{}, stride {}x{}, padding {} {} {} {}", w.kernel_height,
                     w.kernel_width, w.stride_height, w.stride_width, w.pad_top, w.pad_left,
                     w.pad_bottom, w.pad_right);
}

void put_values(Text& text, const ConstantArray& array) {
  constexpr std::size_t per_line = 24;
  const std::string_view suffix = array.c_type == "std::uint32_t" ? "u" : "";
  for (std::size_t i = 0; i < array.values.size(); ++i)
    put(text, "{}{}{},", i % per_line == 0 ? "\n      " : "", array.values[i], suffix);
}

void put_layer(Text& text, int index, const LayerView& view, const DeployedLayer& deployed) {
  const IntegerLayer& layer = view.layer;
  const Window& w = layer.window;
  put(text, "// {}: {}, {} -> {}{}, {} MACs, kernel {}\n", comment_text(layer.name),
      to_string(layer.op), shape_text(view.input), shape_text(view.output), window_text(layer),
      layer.macs.count(), deployed.kernel->name);
  put(text, "struct Layer{} {{\n", index);
  put(text, "  static constexpr int in_height = {}, in_width = {}, in_channels = {};\n",
      view.input.height, view.input.width, view.input.channels);
  put(text, "  static constexpr int out_height = {}, out_width = {}, out_channels = {};\n",
      view.output.height, view.output.width, view.output.channels);
  put(text, "  static constexpr int kernel_height = {}, kernel_width = {};\n", w.kernel_height,
      w.kernel_width);
  put(text, "  static constexpr int stride_height = {}, stride_width = {};\n", w.stride_height,
      w.stride_width);
  put(text, "  static constexpr int pad_top = {}, pad_left = {};\n", w.pad_top, w.pad_left);
  put(text, "  static constexpr int accumulator_shift = {}, output_shift = {};\n",
      layer.requantization.accumulator_shift, layer.requantization.output_shift);
  put(text, "  static constexpr std::int8_t input_zero = {};\n", view.input.zero_point);
  put(text, "  static constexpr std::int8_t clamp_min = {}, clamp_max = {};\n", layer.clamp_min,
      layer.clamp_max);
  for (const ConstantArray& array : deployed.constants) {
    put(text, "  alignas(4) static constexpr {} {}[] = {{", array.c_type, array.name);
    put_values(text, array);
    put(text, "}};\n");
  }
  put(text, "}};\n\n");
}

void put_call(Text& text, int index, const IntegerLayer& layer, const DeployedLayer& deployed,
              const MemoryPlan& memory) {
  put(text, "  {}<Layer{}>(", deployed.kernel->function, index);
  std::vector<std::string> inputs;
  for (int input : layer.inputs)
    inputs.push_back(fmt::format("arena + {}", memory.tensor_offset[input]));
  const std::string list = fmt::format("{}", fmt::join(inputs, ", "));
  put(text, "{}, ", layer.op == IntegerOp::concat ? '{' + list + '}' : list);
  put(text, "arena + {}, ", memory.tensor_offset[layer.output]);
  if (deployed.scratch.count() > 0)
    put(text, "arena + {}", memory.scratch_offset[index]);
  else
    put(text, "nullptr");
  put(text, ");  // {}\n", comment_text(layer.name));
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

void put_hash(Text& text, std::string_view sha256) {
  put(text, "const std::uint8_t model_hash[32] = {{");
  for (std::size_t i = 0; i < sha256.size(); i += 2)
    put(text, "{}0x{},", i % 32 == 0 ? "\n    " : " ", sha256.substr(i, 2));
  put(text, "}};\n");
}

std::string print_source(const IntegerGraph& graph, const Deployment& deployment,
                         std::string_view sha256) {
  Text text;
  put(text, "// Generated from the model with SHA-256\n// {}.\n", sha256);
  put(text, "// A struct of constants per layer, and the network as a straight line.\n");
  std::set<std::string_view> headers = {"targets/runtime/layer.hpp", "targets/runtime/model.hpp"};
  for (const DeployedLayer& layer : deployment.layers)
    headers.insert(layer.kernel->header);
  for (std::string_view header : headers)
    put(text, "#include \"{}\"\n", header);
  put(text, "\nnamespace assay::model {{\nnamespace {{\n\n");
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const IntegerLayer& layer = graph.layers[i];
    put_layer(text, static_cast<int>(i), {graph, layer}, deployment.layers[i]);
  }
  // At least one element, so that a network without layers is still an array.
  put(text, "alignas(8) std::int8_t arena[{}];\n\n}}  // namespace\n\n",
      std::max<std::uint64_t>(deployment.memory.arena_bytes.count(), 8));
  put(text, "const std::size_t input_size = {};\n", graph.tensors[graph.input].size());
  put(text, "const std::size_t output_size = {};\n", graph.tensors[graph.output].size());
  put_hash(text, sha256);
  put(text, "\nstd::int8_t* input() {{ return arena + {}; }}\n",
      deployment.memory.tensor_offset[graph.input]);
  put(text, "const std::int8_t* output() {{ return arena + {}; }}\n\nvoid run() {{\n",
      deployment.memory.tensor_offset[graph.output]);
  for (std::size_t i = 0; i < graph.layers.size(); ++i)
    put_call(text, static_cast<int>(i), graph.layers[i], deployment.layers[i], deployment.memory);
  put(text, "}}\n\n}}  // namespace assay::model\n");
  return fmt::to_string(text);
}

}  // namespace

Result<GeneratedModel> generate(const IntegerGraph& graph, const Core* core,
                                std::string_view model_sha256, const KernelChoice& choice) {
  if (!is_sha256(model_sha256))
    return fail(
        ErrorKind::bad_input,
        fmt::format("\"{}\" is no SHA-256: expected 64 lower-case hex digits", model_sha256));
  ASSAY_TRY(const Deployment deployment, deploy(graph, core, choice));
  GeneratedModel model;
  model.source = print_source(graph, deployment, model_sha256);
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const DeployedLayer& deployed = deployment.layers[i];
    model.layers.push_back({graph.layers[i].name, std::string(deployed.kernel->name),
                            graph.layers[i].macs, deployed.constant_bytes, deployed.scratch});
  }
  model.weight_bytes = deployment.weight_bytes;
  model.arena_bytes = deployment.memory.arena_bytes;
  model.arena_lower_bound = deployment.memory.lower_bound;
  model.scratch_bytes = deployment.scratch_bytes;
  model.macs = deployment.macs;
  model.input_bytes = Bytes(static_cast<std::uint64_t>(graph.tensors[graph.input].size()));
  model.output_bytes = Bytes(static_cast<std::uint64_t>(graph.tensors[graph.output].size()));
  return model;
}

}  // namespace assay
