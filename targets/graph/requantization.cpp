#include "targets/graph/requantization.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <vector>

namespace assay {
namespace {

/// The widths that ARITHMETIC.md gives the tensors' element.
struct Widths {
  double lowest;  ///< of an element
  double highest;
  int most_accumulator_shift;
  int most_output_shift;  ///< the lowest element still fits `scaled` before it
  int multiplier_bits;    ///< m < 2^bits
  double scaled;          ///< |(acc + b') >> P| stays below
  double sum;             ///< |sum of m_i * a_i + b'| of layers without weights stays below
  int product_bits;       ///< m < 2^bits where it multiplies a product of two elements
  int most_part_shift;    ///< R of products and of concatenated parts
  int most_sum_shift;     ///< R of additions and average pools

  double steps() const { return highest - lowest; }
};

// Of int8: 255 * 255 * 2^14 + 128.5 * 2^22 and 128 * 2^15 + 128 * 2^15 + 128.5 * 2^22 stay below
// 2^31. Of int16: 2^30 * 2^31 + 2^45 stays below 2^62.
constexpr Widths int8_widths{-128, 127, 15, 23, 15, 0x1p16, 0x1p31, 14, 22, 30};
constexpr Widths int16_widths{-32768, 32767, 22, 46, 31, 0x1p31, 0x1p62, 31, 46, 46};

const Widths& widths_of(Element element) {
  return element == Element::int16 ? int16_widths : int8_widths;
}

constexpr double tolerated_step = 0.125;  // what P may cost a channel, in output steps
constexpr int max_halvings = 6;

/// One output channel while P, R and m are being found.
struct Channel {
  double multiplier = 0;
  double offset = 0;  // in output steps, output zero point included
  double low = 0;     // range of the accumulator
  double high = 0;
  double zero_share = 0;  // z_in * sum(w)
  int halvings = 0;
  std::optional<std::int16_t> constant;
};

/// The layer's weights by output channel.
class WeightView {
 public:
  WeightView(IntegerLayer& layer, std::size_t channels)
      : weights_(layer.weights),
        channels_(channels),
        per_channel_(layer.weights.size() / channels),
        interleaved_(layer.op == IntegerOp::depthwise) {}
  std::size_t per_channel() const { return per_channel_; }
  std::int8_t& at(std::size_t channel, std::size_t i) {
    return weights_[interleaved_ ? i * channels_ + channel : channel * per_channel_ + i];
  }

 private:
  std::vector<std::int8_t>& weights_;
  std::size_t channels_;
  std::size_t per_channel_;
  bool interleaved_;
};

/// The output for an accumulator value, before rounding and in clamp limits.
double output_at(const Channel& channel, const IntegerLayer& layer, double accumulator) {
  const double y = channel.multiplier * (accumulator - channel.zero_share) + channel.offset;
  return std::clamp<double>(std::floor(y + 0.5), layer.clamp_min, layer.clamp_max);
}

/// Finds P, R, m and b' of a layer with weights, and changes weights where rules 1 and 2 of
/// ARITHMETIC.md say so.
class ChannelRequantizer {
 public:
  ChannelRequantizer(IntegerLayer& layer, std::size_t channels, int input_zero,
                     const Widths& widths)
      : layer_(layer), weights_(layer, channels), input_zero_(input_zero), widths_(widths) {}

  void add(double multiplier, double offset) {
    channels_.push_back({.multiplier = multiplier, .offset = offset, .constant = {}});
    measure(channels_.size() - 1);
  }
  Result<ChannelChanges> run() {
    while (coarsen_small_channels()) {
    }
    ASSAY_TRY(layer_.requantization, combine());
    ChannelChanges changes;
    for (const Channel& channel : channels_) {
      changes.constant += channel.constant.has_value();
      changes.coarsened += !channel.constant && channel.halvings > 0;
    }
    return changes;
  }

 private:
  void measure(std::size_t index);
  int find_exponent(double largest) const;
  int exponent_at(int widest_exponent, int shift) const {
    return std::min(widest_exponent, widths_.most_output_shift + shift);
  }
  bool fits(const Channel& channel, int widest_exponent, int shift) const;
  double largest_multiplier() const;
  bool should_coarsen(const Channel& channel, int exponent, int shift) const;
  void coarsen(std::size_t index);
  bool coarsen_small_channels();
  void set_constant(Requantization& r, std::int16_t value) const;
  Result<Requantization> combine() const;

  IntegerLayer& layer_;
  WeightView weights_;
  int input_zero_;
  const Widths& widths_;
  std::vector<Channel> channels_;
};

/// Finds the accumulator's range; a channel that gives one output for all of it becomes constant.
void ChannelRequantizer::measure(std::size_t index) {
  Channel& channel = channels_[index];
  channel.low = channel.high = channel.zero_share = 0;
  for (std::size_t i = 0; i < weights_.per_channel(); ++i) {
    const double w = weights_.at(index, i);
    channel.low += std::min(widths_.highest * w, widths_.lowest * w);
    channel.high += std::max(widths_.highest * w, widths_.lowest * w);
    channel.zero_share += input_zero_ * w;
  }
  const double lowest = output_at(channel, layer_, channel.low);
  if (lowest != output_at(channel, layer_, channel.high)) return;
  channel.constant = static_cast<std::int16_t>(lowest);
  for (std::size_t i = 0; i < weights_.per_channel(); ++i)
    weights_.at(index, i) = 0;
}

/// Exponent e = R + P for which the largest multiplier takes all of its bits.
int ChannelRequantizer::find_exponent(double largest) const {
  int exponent = 0;
  std::frexp(largest, &exponent);
  const int e = widths_.multiplier_bits - exponent;
  return std::lround(std::ldexp(largest, e)) < (1L << widths_.multiplier_bits) ? e : e - 1;
}

std::int32_t multiplier_of(const Channel& channel, int exponent) {
  return std::max<std::int32_t>(
      1, static_cast<std::int32_t>(std::lround(std::ldexp(channel.multiplier, exponent))));
}

/// b' without the share of P, real until it is rounded.
double bias_of(const Channel& channel, int exponent) {
  return std::nearbyint(std::ldexp(channel.offset + 0.5, exponent) /
                        multiplier_of(channel, exponent)) -
         channel.zero_share;
}

bool ChannelRequantizer::fits(const Channel& channel, int widest_exponent, int shift) const {
  if (channel.constant) return true;
  const double bias = bias_of(channel, exponent_at(widest_exponent, shift)) + ((1 << shift) >> 1);
  const double scale = std::ldexp(1.0, shift);
  // Without a shift the sums themselves have 32 bits, before b' brings them nearer to zero.
  const bool may_shift = widths_.most_accumulator_shift > 0;
  if (may_shift && shift == 0 && (channel.low <= -widths_.scaled || channel.high >= widths_.scaled))
    return false;
  return std::floor((channel.low + bias) / scale) > -widths_.scaled &&
         std::floor((channel.high + bias) / scale) < widths_.scaled;
}

double ChannelRequantizer::largest_multiplier() const {
  double largest = 0;
  for (const Channel& channel : channels_)
    if (!channel.constant) largest = std::max(largest, channel.multiplier);
  return largest;
}

/// Whether half the weights' precision would help the layer and is worth less than a quarter step.
bool ChannelRequantizer::should_coarsen(const Channel& channel, int exponent, int shift) const {
  if (channel.constant || channel.halvings == max_halvings) return false;
  // Each halving moves a weight by up to half a unit, and the input lies up to all steps from its
  // zero.
  const double damage =
      0.5 * static_cast<double>(weights_.per_channel()) * widths_.steps() * channel.multiplier * 2;
  const double spans = std::min(channel.multiplier * (channel.high - channel.low), widths_.steps());
  const bool coarse_multiplier = std::ldexp(channel.multiplier, exponent) < 4 * spans;
  return damage < 0.25 && (coarse_multiplier || !fits(channel, exponent, shift));
}

void ChannelRequantizer::coarsen(std::size_t index) {
  for (std::size_t i = 0; i < weights_.per_channel(); ++i) {
    std::int8_t& w = weights_.at(index, i);
    w = static_cast<std::int8_t>((std::abs(w) + 1) / 2 * (w < 0 ? -1 : 1));
  }
  channels_[index].multiplier *= 2;
  ++channels_[index].halvings;
  measure(index);
}

/// Rule 2 of ARITHMETIC.md, one pass; returns whether anything changed.
bool ChannelRequantizer::coarsen_small_channels() {
  const double largest = largest_multiplier();
  if (largest == 0) return false;
  const int exponent = find_exponent(largest);
  int shift = 0;  // the largest P that costs no channel a visible part of a step
  while (shift < widths_.most_accumulator_shift && std::ldexp(largest, shift) <= tolerated_step)
    ++shift;
  bool changed = false;
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    if (!should_coarsen(channels_[c], exponent, shift)) continue;
    coarsen(c);
    changed = true;
  }
  return changed;
}

/// m and b' of a channel that always gives `value`: ((b' >> P) * 2^k) >> R == value.
void ChannelRequantizer::set_constant(Requantization& r, std::int16_t value) const {
  const int k = std::min(widths_.multiplier_bits - 1, r.output_shift - 1);
  r.multiplier.push_back(1 << k);
  const std::int64_t scaled = (2 * value + 1) * (std::int64_t{1} << (r.output_shift - 1 - k));
  r.bias.push_back(scaled * (1 << r.accumulator_shift));
}

Result<Requantization> ChannelRequantizer::combine() const {
  const double largest = largest_multiplier();
  const int widest = largest > 0 ? find_exponent(largest) : widths_.multiplier_bits;
  Requantization r;
  const auto all_fit = [&] {
    return std::all_of(channels_.begin(), channels_.end(), [&](const Channel& channel) {
      return fits(channel, widest, r.accumulator_shift);
    });
  };
  while (!all_fit())
    if (++r.accumulator_shift > widths_.most_accumulator_shift)
      return fail(ErrorKind::bad_input,
                  "the sums of this layer are too large for its output scale");
  const int exponent = exponent_at(widest, r.accumulator_shift);
  r.output_shift = exponent - r.accumulator_shift;
  if (r.output_shift < 1)
    return fail(ErrorKind::bad_input,
                fmt::format("the output scale is more than 2^{} times finer than one unit of the "
                            "sums",
                            widths_.multiplier_bits - 1));
  for (const Channel& channel : channels_) {
    if (channel.constant) {
      set_constant(r, *channel.constant);
      continue;
    }
    r.multiplier.push_back(multiplier_of(channel, exponent));
    r.bias.push_back(static_cast<std::int64_t>(bias_of(channel, exponent)) +
                     ((1 << r.accumulator_shift) >> 1));
  }
  return r;
}

constexpr const char* too_fine = "the output scale is far too fine for the inputs' scales";

Status check_multiplier(double multiplier) {
  if (std::isfinite(multiplier) && multiplier >= 0) return {};
  return fail(ErrorKind::bad_input, "scales must be finite and not negative");
}

/// (zero + 1/2) * 2^shift
std::int64_t rounded_zero(std::int8_t zero, int shift) {
  return (2 * zero + 1) * (std::int64_t{1} << (shift - 1));
}

}  // namespace

Result<ChannelChanges> requantize_channels(IntegerLayer& layer,
                                           std::span<const ChannelScaling> scalings,
                                           std::int8_t input_zero, std::int8_t output_zero,
                                           Element element) {
  constexpr std::size_t most_inputs = std::size_t(1) << 16;
  if (layer.weights.size() / scalings.size() > most_inputs)
    return fail(ErrorKind::bad_input, "more than 65536 weights per output overflow its sums");
  ChannelRequantizer requantizer(layer, scalings.size(), input_zero, widths_of(element));
  for (const ChannelScaling& scaling : scalings) {
    if (!std::isfinite(scaling.multiplier) || !std::isfinite(scaling.offset) ||
        scaling.multiplier < 0)
      return fail(ErrorKind::bad_input, "scales and bias must be finite, scales not negative");
    requantizer.add(scaling.multiplier, scaling.offset + output_zero);
  }
  return requantizer.run();
}

Result<Requantization> requantize_sum(std::span<const SumTerm> terms, std::int8_t output_zero,
                                      Element element) {
  const Widths& widths = widths_of(element);
  for (const SumTerm& term : terms)
    ASSAY_CHECK(check_multiplier(term.multiplier));
  for (int shift = widths.most_sum_shift; shift >= 1; --shift) {
    Requantization r;
    r.output_shift = shift;
    double bias = std::ldexp(output_zero + 0.5, shift);
    double sums = 0;
    bool small = true;
    for (const SumTerm& term : terms) {
      const double m = std::nearbyint(std::ldexp(term.multiplier, shift));
      small = small && m < std::ldexp(1.0, widths.multiplier_bits);
      bias -= m * term.zero_point * static_cast<double>(term.elements);
      sums += m * -widths.lowest * static_cast<double>(term.elements);
      if (small) r.multiplier.push_back(static_cast<std::int32_t>(m));
    }
    if (!small || std::abs(bias) + sums >= widths.sum) continue;
    r.bias.push_back(static_cast<std::int64_t>(bias));
    return r;
  }
  return fail(ErrorKind::bad_input, too_fine);
}

Result<Requantization> requantize_product(double ratio, std::int8_t output_zero, Element element) {
  const Widths& widths = widths_of(element);
  ASSAY_CHECK(check_multiplier(ratio));
  for (int shift = widths.most_part_shift; shift >= 1; --shift) {
    const double m = std::nearbyint(std::ldexp(ratio, shift));
    if (m >= std::ldexp(1.0, widths.product_bits)) continue;
    Requantization r;
    r.output_shift = shift;
    r.multiplier = {static_cast<std::int32_t>(m)};
    r.bias = {rounded_zero(output_zero, shift)};
    return r;
  }
  return fail(ErrorKind::bad_input, too_fine);
}

Result<Requantization> requantize_parts(std::span<const SumTerm> inputs, std::int8_t output_zero,
                                        Element element) {
  const Widths& widths = widths_of(element);
  for (const SumTerm& input : inputs)
    ASSAY_CHECK(check_multiplier(input.multiplier));
  for (int shift = widths.most_part_shift; shift >= 1; --shift) {
    Requantization r;
    r.output_shift = shift;
    bool small = true;
    for (const SumTerm& input : inputs) {
      const double m = std::nearbyint(std::ldexp(input.multiplier, shift));
      small = small && m < std::ldexp(1.0, widths.multiplier_bits);
      if (!small) break;
      r.multiplier.push_back(static_cast<std::int32_t>(m));
      r.bias.push_back(rounded_zero(output_zero, shift) - r.multiplier.back() * input.zero_point);
    }
    if (small) return r;
  }
  return fail(ErrorKind::bad_input, too_fine);
}

}  // namespace assay
