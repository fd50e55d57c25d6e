// Rows of the kernels over float32 tensors.
#include <algorithm>
#include <cassert>
#include <span>

#include "compress/onnx/float16.hpp"
#include "targets/pack/rows.hpp"

namespace assay {
namespace {

template <WeightForm form>
bool has_form(const LayerView& view) {
  return view.input.element == Element::float32 && stored_form(view) == form;
}

/// The weights in the form the model has them, in their order.
ConstantArray pack_weights(const LayerView& view) {
  const IntegerLayer& layer = view.layer;
  switch (stored_form(view)) {
    case WeightForm::float16: {
      ConstantArray array{"weights", "std::uint16_t", 2, {}};
      for (const float weight : layer.real.weights)
        array.values.push_back(onnx::to_float16(weight));
      return array;
    }
    case WeightForm::int8:
      return {"weights", "std::int8_t", 1, {layer.weights.begin(), layer.weights.end()}};
    default:
      return float_array("weights", layer.real.weights);
  }
}

/// The weights [out][...] in groups of four outputs, those of one input side by side, and a group
/// of the outputs left over.
ConstantArray interleaved(const LayerView& view) {
  constexpr std::size_t width = 4;
  const ConstantArray plain = pack_weights(view);
  const auto outputs = static_cast<std::size_t>(view.output.channels);
  const std::size_t inputs = plain.values.size() / outputs;
  ConstantArray array{plain.name, plain.c_type, plain.element_bytes, {}};
  for (std::size_t first = 0; first < outputs; first += width)
    for (std::size_t i = 0; i < inputs; ++i)
      for (std::size_t o = first; o < std::min(first + width, outputs); ++o)
        array.values.push_back(plain.values[o * inputs + i]);
  return array;
}

std::vector<ConstantArray> pack_layer(const LayerView& view) {
  const FloatParameters& real = view.layer.real;
  std::vector<ConstantArray> arrays = {pack_weights(view), float_array("bias", real.bias)};
  if (stored_form(view) == WeightForm::int8) arrays.push_back(float_array("scale", real.scale));
  return arrays;
}

std::vector<ConstantArray> pack_interleaved(const LayerView& view) {
  std::vector<ConstantArray> arrays = pack_layer(view);
  arrays.front() = interleaved(view);
  return arrays;
}

std::vector<ConstantArray> pack_scale(const LayerView& view) {
  return {float_array("scale", view.layer.real.scale)};
}

std::vector<ConstantArray> pack_multiply(const LayerView& view) {
  return {per_channel_array(view)};
}

std::vector<ConstantArray> pack_joined(const LayerView& view) {
  return {channels_array(view)};
}

std::vector<ConstantArray> pack_function(const LayerView& view) {
  const ElementFunction& function = view.layer.real.function;
  const float attributes[] = {function.alpha, function.beta};
  return {{"function", "std::int32_t", 4, {static_cast<int>(function.kind)}},
          float_array("attributes", attributes)};
}

KernelRow row(std::string_view name, IntegerOp op, std::string_view header,
              std::string_view function, decltype(KernelRow::pack) pack,
              decltype(KernelRow::in_place) in_place) {
  return {.name = name,
          .op = op,
          .element = Element::float32,
          .form = WeightForm::none,
          .header = header,
          .function = function,
          .runs_on = any_core,
          .accepts = has_form<WeightForm::none>,
          .pack = pack,
          .in_place = in_place,
          .portable = true};
}

/// What the kernels of one operator share, whatever the form of their weights.
struct WeightedKernel {
  IntegerOp op;
  std::string_view header;
  std::string_view function;
  decltype(KernelRow::pack) pack;
};

template <WeightForm form>
KernelRow weighted(std::string_view name, const WeightedKernel& kernel) {
  KernelRow made = row(name, kernel.op, kernel.header, kernel.function, kernel.pack, never);
  made.form = form;
  made.accepts = has_form<form>;
  return made;
}

}  // namespace

std::span<const KernelRow> float_kernels() {
  constexpr std::string_view four = "targets/runtime/float/four_channels.hpp";
  constexpr std::string_view plain = "targets/runtime/float/convolution.hpp";
  constexpr auto op_conv = IntegerOp::convolution, op_depthwise = IntegerOp::depthwise,
                 op_dense = IntegerOp::dense;
  const WeightedKernel conv{op_conv, four, "assay::kernels::conv_float", pack_interleaved};
  const WeightedKernel depthwise{op_depthwise, four, "assay::kernels::depthwise_float", pack_layer};
  const WeightedKernel dense{op_dense, four, "assay::kernels::dense_float", pack_interleaved};
  const WeightedKernel conv_reference{op_conv, plain, "assay::kernels::conv_float_reference",
                                      pack_layer};
  const WeightedKernel depthwise_reference{op_depthwise, plain,
                                           "assay::kernels::depthwise_float_reference", pack_layer};
  const WeightedKernel dense_reference{op_dense, plain, "assay::kernels::dense_float_reference",
                                       pack_layer};
  constexpr auto float32 = WeightForm::float32, float16 = WeightForm::float16,
                 int8 = WeightForm::int8;
  static const KernelRow rows[] = {
      weighted<float32>("conv.float32", conv),
      weighted<float16>("conv.float16", conv),
      weighted<int8>("conv.dynamic", conv),
      weighted<float32>("depthwise.float32", depthwise),
      weighted<float16>("depthwise.float16", depthwise),
      weighted<int8>("depthwise.dynamic", depthwise),
      weighted<float32>("dense.float32", dense),
      weighted<float16>("dense.float16", dense),
      weighted<int8>("dense.dynamic", dense),
      weighted<float32>("conv.float32.reference", conv_reference),
      weighted<float16>("conv.float16.reference", conv_reference),
      weighted<int8>("conv.dynamic.reference", conv_reference),
      weighted<float32>("depthwise.float32.reference", depthwise_reference),
      weighted<float16>("depthwise.float16.reference", depthwise_reference),
      weighted<int8>("depthwise.dynamic.reference", depthwise_reference),
      weighted<float32>("dense.float32.reference", dense_reference),
      weighted<float16>("dense.float16.reference", dense_reference),
      weighted<int8>("dense.dynamic.reference", dense_reference),
      row("max_pool.float32", IntegerOp::max_pool, "targets/runtime/float/pool.hpp",
          "assay::kernels::max_pool_float", no_constants, pool_may_run_in_place),
      row("average_pool.float32", IntegerOp::average_pool, "targets/runtime/float/pool.hpp",
          "assay::kernels::average_pool_float", pack_scale, pool_may_run_in_place),
      row("add.float32", IntegerOp::add, "targets/runtime/float/combine.hpp",
          "assay::kernels::add_float", no_constants, always),
      row("multiply.float32", IntegerOp::multiply, "targets/runtime/float/combine.hpp",
          "assay::kernels::multiply_float", pack_multiply, always),
      row("concat.float32", IntegerOp::concat, "targets/runtime/float/combine.hpp",
          "assay::kernels::concat_float", pack_joined, never),
      row("function.float32", IntegerOp::lookup, "targets/runtime/float/functions.hpp",
          "assay::kernels::function_float", pack_function, always),
  };
  return rows;
}

const KernelRow& float_reference_kernel(const LayerView& view) {
  const auto rows = float_kernels();
  for (auto row = rows.rbegin(); row != rows.rend(); ++row)
    if (takes(*row, view)) return *row;
  assert(false && "every operator has a reference row");
  return rows.back();
}

}  // namespace assay
