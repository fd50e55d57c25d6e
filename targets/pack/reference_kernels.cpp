// Rows of the reference kernels: any core, any layer, weights as IntegerLayer lays them out.
#include "targets/pack/rows.hpp"

namespace assay {
namespace {

std::vector<ConstantArray> weights_and_requantization(const LayerView& view) {
  std::vector<ConstantArray> arrays = pack_requantization(view);
  const auto& weights = view.layer.weights;
  arrays.insert(arrays.begin(), {"weights", "std::int8_t", 1, {weights.begin(), weights.end()}});
  return arrays;
}

std::vector<ConstantArray> pack_multiply(const LayerView& view) {
  const ActivationTensor& second = view.input_at(1);
  std::vector<ConstantArray> arrays = pack_requantization(view);
  arrays.push_back({"second_zero", "std::int32_t", 4, {second.zero_point}});
  arrays.push_back({"per_channel", "std::int32_t", 4, {second.size() != view.input.size()}});
  return arrays;
}

std::vector<ConstantArray> pack_concat(const LayerView& view) {
  std::vector<ConstantArray> arrays = pack_requantization(view);
  ConstantArray channels{"channels", "std::int32_t", 4, {}};
  for (std::size_t i = 0; i < view.layer.inputs.size(); ++i)
    channels.values.push_back(view.input_at(i).channels);
  arrays.push_back(std::move(channels));
  return arrays;
}

std::vector<ConstantArray> pack_table(const LayerView& view) {
  return {{"table", "std::int8_t", 1, {view.layer.table.begin(), view.layer.table.end()}}};
}

KernelRow row(std::string_view name, IntegerOp op, std::string_view header,
              std::string_view function, decltype(KernelRow::pack) pack,
              decltype(KernelRow::in_place) in_place) {
  return {.name = name,
          .op = op,
          .form = has_weights(op) ? WeightForm::int8 : WeightForm::none,
          .header = header,
          .function = function,
          .runs_on = any_core,
          .accepts = any_layer,
          .pack = pack,
          .scratch = no_scratch,
          .in_place = in_place,
          .portable = true};
}

}  // namespace

std::vector<ConstantArray> pack_requantization(const LayerView& view) {
  const Requantization& r = view.layer.requantization;
  return {{"bias", "std::int32_t", 4, {r.bias.begin(), r.bias.end()}},
          {"multiplier", "std::int32_t", 4, {r.multiplier.begin(), r.multiplier.end()}}};
}

bool pool_may_run_in_place(const LayerView& view) {
  const Window& window = view.layer.window;
  return window.pad_top == 0 && window.pad_left == 0 && view.output.width <= view.input.width &&
         view.output.height <= view.input.height;
}

std::span<const KernelRow> reference_kernels() {
  static const KernelRow rows[] = {
      row("conv.reference", IntegerOp::convolution, "targets/runtime/reference/convolution.hpp",
          "assay::kernels::conv_reference", weights_and_requantization, never),
      row("depthwise.reference", IntegerOp::depthwise, "targets/runtime/reference/convolution.hpp",
          "assay::kernels::depthwise_reference", weights_and_requantization, never),
      row("dense.reference", IntegerOp::dense, "targets/runtime/reference/dense.hpp",
          "assay::kernels::dense_reference", weights_and_requantization, never),
      row("max_pool.reference", IntegerOp::max_pool, "targets/runtime/reference/pool.hpp",
          "assay::kernels::max_pool_reference", no_constants, pool_may_run_in_place),
      row("average_pool.reference", IntegerOp::average_pool, "targets/runtime/reference/pool.hpp",
          "assay::kernels::average_pool_reference", pack_requantization, pool_may_run_in_place),
      row("add.reference", IntegerOp::add, "targets/runtime/reference/add.hpp",
          "assay::kernels::add_reference", pack_requantization, always),
      row("multiply.reference", IntegerOp::multiply, "targets/runtime/reference/multiply.hpp",
          "assay::kernels::multiply_reference", pack_multiply, always),
      row("concat.reference", IntegerOp::concat, "targets/runtime/reference/concat.hpp",
          "assay::kernels::concat_reference", pack_concat, never),
      row("lookup.reference", IntegerOp::lookup, "targets/runtime/reference/lookup.hpp",
          "assay::kernels::lookup_reference", pack_table, always),
  };
  return rows;
}

}  // namespace assay
