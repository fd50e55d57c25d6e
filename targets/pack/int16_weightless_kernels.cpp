// Rows of the optimized kernels over int16 tensors that have no weights: pools, addition, product
// and concatenation.
#include "targets/pack/rows.hpp"

namespace assay {
namespace {

/// b' of sums and products follows from R.
std::vector<ConstantArray> pack_multipliers(const LayerView& view) {
  const auto& multiplier = view.layer.requantization.multiplier;
  return {{"multiplier", "std::int32_t", 4, {multiplier.begin(), multiplier.end()}}};
}

std::vector<ConstantArray> pack_product(const LayerView& view) {
  std::vector<ConstantArray> arrays = pack_multipliers(view);
  arrays.push_back(per_channel_array(view));
  return arrays;
}

std::vector<ConstantArray> pack_joined(const LayerView& view) {
  std::vector<ConstantArray> arrays = pack_multipliers(view);
  arrays.push_back(channels_array(view));
  return arrays;
}

bool fills_vectors(const LayerView& view) {
  return view.output.channels >= 8;
}

/// Where channels are left over, some are made twice.
bool vectors_may_run_in_place(const LayerView& view) {
  return pool_may_run_in_place(view) && view.output.channels % 8 == 0;
}

/// What the kernels of an operator have in common, whatever the core.
struct Weightless {
  IntegerOp op;
  decltype(KernelRow::pack) pack;
  decltype(KernelRow::in_place) in_place;
  decltype(KernelRow::accepts) accepts = any_layer;
};

/// Makes the rows of some cores.
struct Cores {
  decltype(KernelRow::runs_on) runs_on;
  std::string_view pools;         ///< header of the pools
  std::string_view combinations;  ///< header of the others

  KernelRow operator()(std::string_view name, std::string_view function,
                       const Weightless& kernel) const {
    const bool pool = kernel.op == IntegerOp::max_pool || kernel.op == IntegerOp::average_pool;
    return {.name = name,
            .op = kernel.op,
            .element = Element::int16,
            .form = WeightForm::none,
            .header = pool ? pools : combinations,
            .function = function,
            .runs_on = runs_on,
            .accepts = kernel.accepts,
            .pack = kernel.pack,
            .in_place = kernel.in_place};
  }
};

}  // namespace

std::span<const KernelRow> int16_weightless_kernels() {
  constexpr Weightless max_pool{IntegerOp::max_pool, no_constants, pool_may_run_in_place};
  constexpr Weightless average_pool{IntegerOp::average_pool, pack_multipliers,
                                    pool_may_run_in_place};
  constexpr Weightless max_vectors{IntegerOp::max_pool, no_constants, vectors_may_run_in_place,
                                   fills_vectors};
  constexpr Weightless average_vectors{IntegerOp::average_pool, pack_multipliers,
                                       vectors_may_run_in_place, fills_vectors};
  constexpr Weightless add{IntegerOp::add, pack_multipliers, always};
  constexpr Weightless multiply{IntegerOp::multiply, pack_product, always};
  constexpr Weightless concat{IntegerOp::concat, pack_joined, never};
  constexpr Cores smlad{has_smlad, "targets/runtime/int16/pool_smlad.hpp",
                        "targets/runtime/int16/combine_smlad.hpp"};
  constexpr Cores neon{has_neon, "targets/runtime/int16/pool_neon.hpp",
                       "targets/runtime/int16/combine_neon.hpp"};
  constexpr Cores plain{lacks_smlad, "targets/runtime/int16/pool_plain.hpp",
                        "targets/runtime/int16/combine_plain.hpp"};
  static const KernelRow rows[] = {
      smlad("max_pool.int16.smlad", "assay::kernels::max_pool_int16_smlad", max_pool),
      smlad("average_pool.int16.smlad", "assay::kernels::average_pool_int16_smlad", average_pool),
      smlad("add.int16.smlad", "assay::kernels::add_int16_smlad", add),
      smlad("multiply.int16.smlad", "assay::kernels::multiply_int16_smlad", multiply),
      smlad("concat.int16.smlad", "assay::kernels::concat_int16_smlad", concat),
      neon("max_pool.int16.neon", "assay::kernels::max_pool_int16_neon", max_vectors),
      neon("average_pool.int16.neon", "assay::kernels::average_pool_int16_neon", average_vectors),
      neon("add.int16.neon", "assay::kernels::add_int16_neon", add),
      neon("multiply.int16.neon", "assay::kernels::multiply_int16_neon", multiply),
      neon("concat.int16.neon", "assay::kernels::concat_int16_neon", concat),
      plain("max_pool.int16.plain", "assay::kernels::max_pool_int16_plain", max_pool),
      plain("average_pool.int16.plain", "assay::kernels::average_pool_int16_plain", average_pool),
      plain("add.int16.plain", "assay::kernels::add_int16_plain", add),
      plain("multiply.int16.plain", "assay::kernels::multiply_int16_plain", multiply),
      plain("concat.int16.plain", "assay::kernels::concat_int16_plain", concat),
  };
  return rows;
}

}  // namespace assay
