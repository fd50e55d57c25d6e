#include "compress/data/score.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace assay {
namespace {

double distance(std::span<const float> a, std::span<const float> b) {
  double squared = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    squared += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
  return std::sqrt(squared);
}

}  // namespace

Status Score::add(int first, int count, std::span<const float> outputs) {
  const std::size_t width = outputs.size() / std::size_t(count);
  for (int i = 0; i < count; ++i) {
    const auto row = outputs.subspan(std::size_t(i) * width, width);
    const auto image = std::size_t(first + i);
    if (!std::ranges::all_of(row, [](float output) { return std::isfinite(output); }))
      return fail(ErrorKind::bad_input,
                  fmt::format("the network's outputs for image {} are no finite numbers ({}): its "
                              "training diverged, or its numbers are beyond their type",
                              image, fmt::join(row, ", ")));
    ++all_.count;
    if (regression()) {
      distances_ += distance(row, std::span(images_.targets).subspan(image * width, width));
      continue;
    }
    const std::size_t label = images_.labels[image];
    const bool right = std::size_t(std::ranges::max_element(row) - row.begin()) == label;
    all_.correct += right;
    if (label >= classes_.size()) continue;
    ++classes_[label].count;
    classes_[label].correct += right;
  }
  return {};
}

std::optional<double> Score::accuracy() const {
  if (regression()) return std::nullopt;
  return double(all_.correct) / all_.count;
}

std::optional<double> Score::mean_error() const {
  if (!regression()) return std::nullopt;
  return distances_ / all_.count;
}

Json Score::json() const {
  if (regression()) return {{"count", all_.count}, {"error_mean", *mean_error()}};
  Json per_class = Json::array();
  for (std::size_t i = 0; i < classes_.size(); ++i)
    per_class.push_back({{"class", class_names_[i]},
                         {"count", classes_[i].count},
                         {"correct", classes_[i].correct}});
  return {{"count", all_.count},
          {"correct", all_.correct},
          {"accuracy_top1", *accuracy()},
          {"per_class", per_class}};
}

}  // namespace assay
