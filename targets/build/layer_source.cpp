#include "targets/build/layer_source.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace assay {
namespace {

/// Exact in source text: hexadecimal digits.
std::string float_text(float value) {
  if (std::isinf(value)) return value < 0 ? "-__builtin_inff()" : "__builtin_inff()";
  return fmt::format("{:a}f", value);
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

void put_values(SourceText& text, const ConstantArray& array) {
  const bool real = array.c_type == "float";
  const std::size_t per_line = real ? 6 : 24;
  const std::string_view suffix = array.c_type == "std::uint32_t" ? "u" : "";
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    put(text, "{}", i % per_line == 0 ? "\n      " : "");
    if (real)
      put(text, "{},", float_text(float_of_bits(array.values[i])));
    else
      put(text, "{}{},", array.values[i], suffix);
  }
}

void put_integer_facts(SourceText& text, const LayerView& view) {
  const IntegerLayer& layer = view.layer;
  put(text, "  static constexpr int accumulator_shift = {}, output_shift = {};\n",
      layer.requantization.accumulator_shift, layer.requantization.output_shift);
  put(text, "  static constexpr std::int8_t input_zero = {};\n", view.input.zero_point);
  put(text, "  static constexpr {} clamp_min = {}, clamp_max = {};\n",
      type_text(view.output.element), layer.clamp_min, layer.clamp_max);
}

void put_float_facts(SourceText& text, const FloatParameters& real) {
  put(text, "  static constexpr float clamp_min = {}, clamp_max = {};\n",
      float_text(real.clamp_min), float_text(real.clamp_max));
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

}  // namespace

std::string comment_text(std::string_view name) {
  std::string safe;
  for (char c : name)
    safe += (c >= ' ' && c <= '~' && c != '\\' && c != '?') ? c : '_';
  return safe;
}

std::string_view type_text(Element element) {
  if (element == Element::float32) return "float";
  return element == Element::int16 ? "std::int16_t" : "std::int8_t";
}

std::string shape_text(const ActivationTensor& tensor) {
  return fmt::format("{}x{}x{}", tensor.height, tensor.width, tensor.channels);
}

void put_layer(SourceText& text, std::string_view name, const LayerView& view,
               const DeployedLayer& deployed) {
  const IntegerLayer& layer = view.layer;
  const Window& w = layer.window;
  put(text, "// {}: {}, {} -> {}{}, {} MACs, kernel {}\n", comment_text(layer.name),
      to_string(layer.op), shape_text(view.input), shape_text(view.output), window_text(layer),
      layer.macs.count(), deployed.kernel->name);
  put(text, "struct {} {{\n", name);
  put(text, "  static constexpr int in_height = {}, in_width = {}, in_channels = {};\n",
      view.input.height, view.input.width, view.input.channels);
  put(text, "  static constexpr int out_height = {}, out_width = {}, out_channels = {};\n",
      view.output.height, view.output.width, view.output.channels);
  put(text, "  static constexpr int kernel_height = {}, kernel_width = {};\n", w.kernel_height,
      w.kernel_width);
  put(text, "  static constexpr int stride_height = {}, stride_width = {};\n", w.stride_height,
      w.stride_width);
  put(text, "  static constexpr int pad_top = {}, pad_left = {};\n", w.pad_top, w.pad_left);
  if (view.input.element == Element::float32)
    put_float_facts(text, layer.real);
  else
    put_integer_facts(text, view);
  for (const ConstantArray& array : deployed.constants) {
    put(text, "  alignas({}) static constexpr {} {}[] = {{", std::max(array.element_bytes, 4),
        array.c_type, array.name);
    put_values(text, array);
    put(text, "}};\n");
  }
  put(text, "}};\n\n");
}

std::string place_text(const ArenaPlace& place) {
  const std::string text = fmt::format("{} + {}", place.array, place.offset);
  return place.per_strip == 0 ? text : fmt::format("{} + strip * {}", text, place.per_strip);
}

std::string place_text(const ArenaPlace& place, Element element) {
  if (element == Element::int8) return place_text(place);
  return fmt::format("reinterpret_cast<{}*>({})", type_text(element), place_text(place));
}

void put_call(SourceText& text, std::string_view name, const IntegerLayer& layer,
              const DeployedLayer& deployed, const LayerPlace& place) {
  std::vector<std::string> inputs;
  const Element element = deployed.kernel->element;
  for (const ArenaPlace& input : place.inputs)
    inputs.push_back(place_text(input, element));
  const std::string list = fmt::format("{}", fmt::join(inputs, ", "));
  put(text, "  {}<{}>({}, {}, {});  // {}\n", deployed.kernel->function, name,
      layer.op == IntegerOp::concat ? '{' + list + '}' : list, place_text(place.output, element),
      deployed.scratch.count() > 0 ? place_text(place.scratch) : "nullptr",
      comment_text(layer.name));
}

void put_hash(SourceText& text, std::string_view sha256) {
  put(text, "const std::uint8_t model_hash[32] = {{");
  for (std::size_t i = 0; i < sha256.size(); i += 2)
    put(text, "{}0x{},", i % 32 == 0 ? "\n    " : " ", sha256.substr(i, 2));
  put(text, "}};\n");
}

Status check_sha256(std::string_view text) {
  if (is_sha256(text)) return {};
  return fail(ErrorKind::bad_input,
              fmt::format("\"{}\" is no SHA-256: expected 64 lower-case hex digits", text));
}

}  // namespace assay
