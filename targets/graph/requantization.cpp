#include "targets/graph/requantization.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <vector>

namespace assay {
namespace {

constexpr int max_accumulator_shift = 15;
constexpr int max_output_shift = 23;  // a constant of +-128 still fits 16 bits before it
constexpr int multiplier_bits = 15;
constexpr double scaled_limit = 65536;    // |(acc + b') >> P| stays below 2^16
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
  std::optional<std::int8_t> constant;
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

/// Finds the accumulator's range; a channel that gives one output for all of it becomes constant.
void measure(Channel& channel, const IntegerLayer& layer, WeightView& weights, std::size_t index,
             int input_zero) {
  channel.low = channel.high = channel.zero_share = 0;
  for (std::size_t i = 0; i < weights.per_channel(); ++i) {
    const double w = weights.at(index, i);
    channel.low += std::min(127 * w, -128 * w);
    channel.high += std::max(127 * w, -128 * w);
    channel.zero_share += input_zero * w;
  }
  const double lowest = output_at(channel, layer, channel.low);
  if (lowest != output_at(channel, layer, channel.high)) return;
  channel.constant = static_cast<std::int8_t>(lowest);
  for (std::size_t i = 0; i < weights.per_channel(); ++i)
    weights.at(index, i) = 0;
}

/// Exponent e = R + P for which the largest multiplier lies in [2^14, 2^15).
int find_exponent(double largest) {
  int exponent = 0;
  std::frexp(largest, &exponent);
  const int e = multiplier_bits - exponent;
  return std::lround(std::ldexp(largest, e)) < (1L << multiplier_bits) ? e : e - 1;
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

int exponent_at(int widest_exponent, int shift) {
  return std::min(widest_exponent, max_output_shift + shift);
}

bool fits(const Channel& channel, int widest_exponent, int shift) {
  if (channel.constant) return true;
  const double bias = bias_of(channel, exponent_at(widest_exponent, shift)) + ((1 << shift) >> 1);
  const double scale = std::ldexp(1.0, shift);
  return std::floor((channel.low + bias) / scale) > -scaled_limit &&
         std::floor((channel.high + bias) / scale) < scaled_limit;
}

double largest_multiplier(const std::vector<Channel>& channels) {
  double largest = 0;
  for (const Channel& channel : channels)
    if (!channel.constant) largest = std::max(largest, channel.multiplier);
  return largest;
}

/// Whether half the weights' precision would help the layer and is worth less than a quarter step.
bool should_coarsen(const Channel& channel, std::size_t inputs, int exponent, int shift) {
  if (channel.constant || channel.halvings == max_halvings) return false;
  // Each halving moves a weight by up to half a unit, and the input by up to 255 steps from its
  // zero.
  const double damage = 0.5 * static_cast<double>(inputs) * 255 * channel.multiplier * 2;
  const double spans = std::min(channel.multiplier * (channel.high - channel.low), 255.0);
  const bool coarse_multiplier = std::ldexp(channel.multiplier, exponent) < 4 * spans;
  return damage < 0.25 && (coarse_multiplier || !fits(channel, exponent, shift));
}

/// Rule 2 of ARITHMETIC.md, one pass; returns whether anything changed.
bool coarsen_small_channels(std::vector<Channel>& channels, IntegerLayer& layer,
                            WeightView& weights, int input_zero) {
  const double largest = largest_multiplier(channels);
  if (largest == 0) return false;
  const int exponent = find_exponent(largest);
  int shift = 0;  // the largest P that costs no channel a visible part of a step
  while (shift < max_accumulator_shift && std::ldexp(largest, shift) <= tolerated_step)
    ++shift;
  bool changed = false;
  for (std::size_t c = 0; c < channels.size(); ++c) {
    if (!should_coarsen(channels[c], weights.per_channel(), exponent, shift)) continue;
    for (std::size_t i = 0; i < weights.per_channel(); ++i) {
      std::int8_t& w = weights.at(c, i);
      w = static_cast<std::int8_t>((std::abs(w) + 1) / 2 * (w < 0 ? -1 : 1));
    }
    channels[c].multiplier *= 2;
    ++channels[c].halvings;
    measure(channels[c], layer, weights, c, input_zero);
    changed = true;
  }
  return changed;
}

/// m and b' of a channel that always gives `value`: ((b' >> P) * 2^k) >> R == value.
void set_constant(Requantization& r, std::int8_t value) {
  const int k = std::min(multiplier_bits - 1, r.output_shift - 1);
  r.multiplier.push_back(1 << k);
  const std::int32_t scaled = (2 * value + 1) * (1 << (r.output_shift - 1 - k));
  r.bias.push_back(scaled * (1 << r.accumulator_shift));
}

Result<Requantization> combine(const std::vector<Channel>& channels) {
  const double largest = largest_multiplier(channels);
  const int widest = largest > 0 ? find_exponent(largest) : multiplier_bits;
  Requantization r;
  const auto all_fit = [&] {
    return std::all_of(channels.begin(), channels.end(), [&](const Channel& channel) {
      return fits(channel, widest, r.accumulator_shift);
    });
  };
  while (!all_fit())
    if (++r.accumulator_shift > max_accumulator_shift)
      return fail(ErrorKind::bad_input,
                  "the sums of this layer do not fit 32 bits at its output scale");
  const int exponent = exponent_at(widest, r.accumulator_shift);
  r.output_shift = exponent - r.accumulator_shift;
  if (r.output_shift < 1)
    return fail(ErrorKind::bad_input,
                "the output scale is more than 2^14 times finer than one unit of the sums");
  for (const Channel& channel : channels) {
    if (channel.constant) {
      set_constant(r, *channel.constant);
      continue;
    }
    r.multiplier.push_back(multiplier_of(channel, exponent));
    r.bias.push_back(static_cast<std::int32_t>(bias_of(channel, exponent)) +
                     ((1 << r.accumulator_shift) >> 1));
  }
  return r;
}

}  // namespace

Result<ChannelChanges> requantize_channels(IntegerLayer& layer,
                                           std::span<const ChannelScaling> scalings,
                                           std::int8_t input_zero, std::int8_t output_zero) {
  WeightView weights(layer, scalings.size());
  constexpr std::size_t most_inputs = std::size_t(1) << 16;  // |acc| < 2^30
  if (weights.per_channel() > most_inputs)
    return fail(ErrorKind::bad_input, "more than 65536 weights per output overflow 32-bit sums");
  std::vector<Channel> channels;
  for (const ChannelScaling& scaling : scalings) {
    if (!std::isfinite(scaling.multiplier) || !std::isfinite(scaling.offset) ||
        scaling.multiplier < 0)
      return fail(ErrorKind::bad_input, "scales and bias must be finite, scales not negative");
    Channel& channel = channels.emplace_back();
    channel.multiplier = scaling.multiplier;
    channel.offset = scaling.offset + output_zero;
    measure(channel, layer, weights, channels.size() - 1, input_zero);
  }
  while (coarsen_small_channels(channels, layer, weights, input_zero)) {
  }
  ASSAY_TRY(layer.requantization, combine(channels));
  ChannelChanges changes;
  for (const Channel& channel : channels) {
    changes.constant += channel.constant.has_value();
    changes.coarsened += !channel.constant && channel.halvings > 0;
  }
  return changes;
}

Result<Requantization> requantize_sum(std::span<const SumTerm> terms, std::int8_t output_zero) {
  constexpr double int32_limit = 2147483647;
  for (const SumTerm& term : terms)
    if (!std::isfinite(term.multiplier) || term.multiplier < 0)
      return fail(ErrorKind::bad_input, "scales must be finite and not negative");
  for (int shift = 30; shift >= 1; --shift) {
    Requantization r;
    r.output_shift = shift;
    double bias = std::ldexp(output_zero + 0.5, shift);
    double sums = 0;
    bool small = true;
    for (const SumTerm& term : terms) {
      const double m = std::nearbyint(std::ldexp(term.multiplier, shift));
      small = small && m < (1 << multiplier_bits);
      bias -= m * term.zero_point * static_cast<double>(term.elements);
      sums += m * 128 * static_cast<double>(term.elements);
      if (small) r.multiplier.push_back(static_cast<std::int32_t>(m));
    }
    if (!small || std::abs(bias) + sums > int32_limit) continue;
    r.bias.push_back(static_cast<std::int32_t>(bias));
    return r;
  }
  return fail(ErrorKind::bad_input, "the output scale is far too fine for the inputs' scales");
}

Result<Requantization> requantize_product(double ratio, std::int8_t output_zero) {
  if (!std::isfinite(ratio) || ratio < 0)
    return fail(ErrorKind::bad_input, "scales must be finite and not negative");
  // 255 * 255 * 2^14 + 128.5 * 2^22 stays below 2^31.
  constexpr int product_bits = 14, most_shift = 22;
  for (int shift = most_shift; shift >= 1; --shift) {
    const double m = std::nearbyint(std::ldexp(ratio, shift));
    if (m >= (1 << product_bits)) continue;
    Requantization r;
    r.output_shift = shift;
    r.multiplier = {static_cast<std::int32_t>(m)};
    r.bias = {(2 * output_zero + 1) * (1 << (shift - 1))};
    return r;
  }
  return fail(ErrorKind::bad_input, "the output scale is far too fine for the inputs' scales");
}

Result<Requantization> requantize_parts(std::span<const SumTerm> inputs, std::int8_t output_zero) {
  for (const SumTerm& input : inputs)
    if (!std::isfinite(input.multiplier) || input.multiplier < 0)
      return fail(ErrorKind::bad_input, "scales must be finite and not negative");
  // 128 * 2^15 + 128 * 2^15 + 128.5 * 2^22 stays below 2^31.
  constexpr int most_shift = 22;
  for (int shift = most_shift; shift >= 1; --shift) {
    Requantization r;
    r.output_shift = shift;
    bool small = true;
    for (const SumTerm& input : inputs) {
      const double m = std::nearbyint(std::ldexp(input.multiplier, shift));
      small = small && m < (1 << multiplier_bits);
      if (!small) break;
      r.multiplier.push_back(static_cast<std::int32_t>(m));
      r.bias.push_back((2 * output_zero + 1) * (1 << (shift - 1)) -
                       r.multiplier.back() * input.zero_point);
    }
    if (small) return r;
  }
  return fail(ErrorKind::bad_input, "the output scale is far too fine for the inputs' scales");
}

}  // namespace assay
