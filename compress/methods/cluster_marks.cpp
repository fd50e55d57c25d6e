#include "compress/methods/cluster_marks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "compress/onnx/distinct.hpp"
#include "harness/core/json.hpp"

namespace assay {
namespace {

constexpr const char* property = "assay.clusters";
constexpr std::size_t largest_codebook = 256;

}  // namespace

void mark_clusters(onnx::Model& model, std::span<const std::string> layers) {
  Json marks = Json::object();
  for (const std::string& layer : layers) {
    const auto node = std::ranges::find(model.nodes, layer, &onnx::Node::name);
    const onnx::Tensor& weights = model.initializers.at(node->inputs[1]);
    marks[layer] = onnx::distinct_values(weights.as<float>()).size();
  }
  model.metadata[property] = marks.dump();
}

Result<ClusterMarks> ClusterMarks::read(const onnx::Model& model) {
  ClusterMarks marks;
  const auto found = model.metadata.find(property);
  if (found == model.metadata.end()) return marks;
  const Json json = Json::parse(found->second, nullptr, false);
  const bool is_marks = json.is_object() && std::ranges::all_of(json, [](const Json& count) {
                          return count.is_number_unsigned();
                        });
  if (!is_marks)
    return fail(ErrorKind::bad_input,
                fmt::format("the model's metadata property {} is \"{}\"; expected a JSON object of "
                            "layers and how many different weights each has, or no such property",
                            property, found->second));
  marks.marked_ = json.get<std::map<std::string, std::size_t>>();
  return marks;
}

bool ClusterMarks::is_clustered(const std::string& layer, std::span<const float> weights) const {
  const auto values = onnx::distinct_values(weights);
  if (values.size() > largest_codebook) return false;
  if (marked_) {
    const auto mark = marked_->find(layer);
    return mark != marked_->end() && values.size() <= mark->second;
  }
  const std::size_t zero_values = std::ranges::binary_search(values, 0.0F) ? 1 : 0;
  const auto zeros = std::size_t(std::ranges::count(weights, 0.0F));
  return 2 * (values.size() - zero_values) < weights.size() - zeros;
}

}  // namespace assay
