#include "targets/pack/depthwise_fields.hpp"

#include <utility>

#include "targets/pack/filter_streams.hpp"
#include "targets/runtime/bit_fields.hpp"

namespace assay {
namespace {

/// The member `packed`; `to_field` gives the number of a weight.
template <class ToField>
ConstantArray pack_stream(std::span<const std::int8_t> weights, int bits, ToField to_field) {
  const auto size = kernels::field_stream_bytes(static_cast<int>(weights.size()), bits);
  ConstantArray packed{"packed", "std::uint8_t", 1, {}};
  packed.values.resize(static_cast<std::size_t>(size), 0);
  std::size_t first_bit = 0;
  for (const std::int8_t weight : weights) {
    const std::uint32_t field = (to_field(weight) & ((1u << bits) - 1)) << first_bit % 8;
    packed.values[first_bit / 8] |= field & 0xff;
    if (field > 0xff) packed.values[first_bit / 8 + 1] |= field >> 8;
    first_bit += static_cast<std::size_t>(bits);
  }
  return packed;
}

ConstantArray pack_small(std::span<const std::int8_t> weights, int bits) {
  return pack_stream(weights, bits,
                     [](std::int8_t weight) { return static_cast<std::uint32_t>(weight); });
}

bool fits(const LayerView& view, WeightForm form) {
  switch (form) {
    case WeightForm::ternary:
      return within<1>(view);
    case WeightForm::int4:
      return within<7>(view);
    case WeightForm::codebook16:
      return value_count_in<1, 16>(view);
    case WeightForm::codebook256:
      return value_count_in<17, 128>(view);
    default:
      return false;
  }
}

}  // namespace

std::vector<ConstantArray> pack_depthwise_fields(const LayerView& view, WeightForm form) {
  const std::span<const std::int8_t> weights = view.layer.weights;
  if (form == WeightForm::ternary) return {pack_small(weights, 2)};
  if (form == WeightForm::int4) return {pack_small(weights, 4)};
  const std::vector<std::int8_t> values = distinct_values(weights);
  const int bits = kernels::codebook_bits(static_cast<int>(values.size()));
  return {pack_stream(weights, bits, number_in(values)),
          {"codebook", "std::int8_t", 1, {values.begin(), values.end()}}};
}

bool suits_depthwise_fields(const LayerView& view, WeightForm form) {
  return fits(view, form) &&
         bytes_of(pack_depthwise_fields(view, form)) < Bytes(view.layer.weights.size());
}

}  // namespace assay
