// Reading the settings of trainings and compression methods from JSON. Pure functions, thread-safe.
#pragma once

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/core/json.hpp"

namespace assay {

/// The words that stand for the values of an enumeration, in the order of the guide.
template <class Value, std::size_t count>
using Words = std::array<std::pair<Value, std::string_view>, count>;

template <class Value, std::size_t count>
std::string_view word_of(const Words<Value, count>& words, Value value) {
  for (const auto& [known, word] : words)
    if (known == value) return word;
  return {};
}

/// All words, as a matrix field offers them.
template <class Value, std::size_t count>
std::vector<Json> all_words(const Words<Value, count>& words) {
  std::vector<Json> all;
  for (const auto& [value, word] : words)
    all.emplace_back(word);
  return all;
}

/// The value whose word is given; absent: `fallback`.
template <class Value, std::size_t count>
Value read_word(JsonObject& object, const std::string& key, const Words<Value, count>& words,
                Value fallback) {
  const auto given = object.maybe<std::string>(key);
  if (!given) return fallback;
  std::string known;
  for (const auto& [value, word] : words) {
    if (word == *given) return value;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", word);
  }
  object.problem(key, fmt::format("expected one of {}, found \"{}\"", known, *given));
  return fallback;
}

/// An integer from `least` to `most`; absent: `fallback`.
inline int read_count(JsonObject& object, const std::string& key, int fallback, int most,
                      int least = 1) {
  const int value = object.optional<int>(key, fallback);
  if (value < least || value > most)
    object.problem(key, fmt::format("expected {} to {}, found {}", least, most, value));
  return value;
}

/// A finite number of at least 0, or above 0; absent: `fallback`.
inline double read_real(JsonObject& object, const std::string& key, double fallback,
                        bool zero_allowed) {
  const double value = object.optional<double>(key, fallback);
  if (!std::isfinite(value) || value < 0 || (value == 0 && !zero_allowed))
    object.problem(key, fmt::format("expected a number {} 0, found {}",
                                    zero_allowed ? "not below" : "above", value));
  return value;
}

/// A number in [0, 1]; absent: `fallback`.
inline double read_fraction(JsonObject& object, const std::string& key, double fallback) {
  const double value = object.optional<double>(key, fallback);
  if (!(value >= 0 && value <= 1))
    object.problem(key, fmt::format("expected 0 to 1, found {}", value));
  return value;
}

}  // namespace assay
