// Rows of the reference kernels: any core, any layer, weights as IntegerLayer lays them out.
#include "targets/pack/rows.hpp"

namespace assay {
namespace {

std::vector<ConstantArray> pack_multiply(const LayerView& view) {
  const ActivationTensor& second = view.input_at(1);
  std::vector<ConstantArray> arrays = pack_requantization(view);
  arrays.push_back({"second_zero", "std::int32_t", 4, {second.zero_point}});
  arrays.push_back(per_channel_array(view));
  return arrays;
}

std::vector<ConstantArray> pack_table(const LayerView& view) {
  const auto& table = view.layer.table;
  const bool wide = view.input.element == Element::int16;
  return {
      {"table", wide ? "std::int16_t" : "std::int8_t", wide ? 2 : 1, {table.begin(), table.end()}}};
}

/// What the reference kernel of one operator is, whatever the tensors' element.
struct ReferenceKernel {
  IntegerOp op;
  std::string_view header;
  std::string_view function;
  decltype(KernelRow::pack) pack;
  decltype(KernelRow::in_place) in_place;
};

KernelRow row(std::string_view name, Element element, const ReferenceKernel& kernel) {
  return {.name = name,
          .op = kernel.op,
          .element = element,
          .form = has_weights(kernel.op) ? WeightForm::int8 : WeightForm::none,
          .header = kernel.header,
          .function = kernel.function,
          .runs_on = any_core,
          .pack = kernel.pack,
          .in_place = kernel.in_place,
          .portable = true};
}

constexpr ReferenceKernel conv{IntegerOp::convolution, "targets/runtime/reference/convolution.hpp",
                               "assay::kernels::conv_reference", pack_weights_and_requantization,
                               never};
constexpr ReferenceKernel depthwise{
    IntegerOp::depthwise, "targets/runtime/reference/convolution.hpp",
    "assay::kernels::depthwise_reference", pack_weights_and_requantization, never};
constexpr ReferenceKernel dense{IntegerOp::dense, "targets/runtime/reference/dense.hpp",
                                "assay::kernels::dense_reference", pack_weights_and_requantization,
                                never};
constexpr ReferenceKernel max_pool{IntegerOp::max_pool, "targets/runtime/reference/pool.hpp",
                                   "assay::kernels::max_pool_reference", no_constants,
                                   pool_may_run_in_place};
constexpr ReferenceKernel average_pool{
    IntegerOp::average_pool, "targets/runtime/reference/pool.hpp",
    "assay::kernels::average_pool_reference", pack_requantization, pool_may_run_in_place};
constexpr ReferenceKernel add{IntegerOp::add, "targets/runtime/reference/add.hpp",
                              "assay::kernels::add_reference", pack_requantization, always};
constexpr ReferenceKernel multiply{IntegerOp::multiply, "targets/runtime/reference/multiply.hpp",
                                   "assay::kernels::multiply_reference", pack_multiply, always};
constexpr ReferenceKernel concat{IntegerOp::concat, "targets/runtime/reference/concat.hpp",
                                 "assay::kernels::concat_reference", pack_concat, never};
constexpr ReferenceKernel lookup{IntegerOp::lookup, "targets/runtime/reference/lookup.hpp",
                                 "assay::kernels::lookup_reference", pack_table, always};

}  // namespace

std::vector<ConstantArray> pack_requantization(const LayerView& view) {
  const Requantization& r = view.layer.requantization;
  const bool wide = view.input.element == Element::int16 &&
                    (!has_weights(view.layer.op) || r.accumulator_shift > 0);
  return {{"bias", wide ? "std::int64_t" : "std::int32_t", wide ? 8 : 4, r.bias},
          {"multiplier", "std::int32_t", 4, {r.multiplier.begin(), r.multiplier.end()}}};
}

ConstantArray per_channel_array(const LayerView& view) {
  return {"per_channel", "std::int32_t", 4, {view.input_at(1).size() != view.input.size()}};
}

ConstantArray channels_array(const LayerView& view) {
  ConstantArray channels{"channels", "std::int32_t", 4, {}};
  for (std::size_t i = 0; i < view.layer.inputs.size(); ++i)
    channels.values.push_back(view.input_at(i).channels);
  return channels;
}

std::vector<ConstantArray> pack_weights_and_requantization(const LayerView& view) {
  std::vector<ConstantArray> arrays = pack_requantization(view);
  const auto& weights = view.layer.weights;
  arrays.insert(arrays.begin(), {"weights", "std::int8_t", 1, {weights.begin(), weights.end()}});
  return arrays;
}

std::vector<ConstantArray> pack_concat(const LayerView& view) {
  std::vector<ConstantArray> arrays = pack_requantization(view);
  arrays.push_back(channels_array(view));
  return arrays;
}

bool pool_may_run_in_place(const LayerView& view) {
  const Window& window = view.layer.window;
  return window.pad_top == 0 && window.pad_left == 0 && view.output.width <= view.input.width &&
         view.output.height <= view.input.height;
}

std::span<const KernelRow> reference_kernels() {
  constexpr Element int8 = Element::int8, int16 = Element::int16;
  static const KernelRow rows[] = {
      row("conv.reference", int8, conv),
      row("depthwise.reference", int8, depthwise),
      row("dense.reference", int8, dense),
      row("max_pool.reference", int8, max_pool),
      row("average_pool.reference", int8, average_pool),
      row("add.reference", int8, add),
      row("multiply.reference", int8, multiply),
      row("concat.reference", int8, concat),
      row("lookup.reference", int8, lookup),
      row("conv.int16.reference", int16, conv),
      row("depthwise.int16.reference", int16, depthwise),
      row("dense.int16.reference", int16, dense),
      row("max_pool.int16.reference", int16, max_pool),
      row("average_pool.int16.reference", int16, average_pool),
      row("add.int16.reference", int16, add),
      row("multiply.int16.reference", int16, multiply),
      row("concat.int16.reference", int16, concat),
      row("lookup.int16.reference", int16, lookup),
  };
  return rows;
}

}  // namespace assay
