#include "compress/models/families.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace assay {
namespace {

/// What a family offers.
struct Family {
  std::string_view name;
  std::vector<int> cuts;               ///< allowed besides 0
  std::vector<int> fewer_filters_pct;  ///< allowed besides 0
  void (*build)(const ModelChoice&, ModelSpec&);
};

const std::vector<Family>& families() {
  static const std::vector<Family> table = {
      {"conv5", {4, 5}, {10, 30, 50}, build_conv5},
  };
  return table;
}

bool offers(const std::vector<int>& values, int value) {
  return value == 0 || std::find(values.begin(), values.end(), value) != values.end();
}

Status check_choice(const Family& family, const ModelChoice& choice) {
  if (!offers(family.cuts, choice.cut))
    return fail(ErrorKind::bad_input,
                fmt::format("model family {} has no cut {}; it has 0 (whole), {}", family.name,
                            choice.cut, fmt::join(family.cuts, ", ")));
  if (!offers(family.fewer_filters_pct, choice.fewer_filters_pct))
    return fail(ErrorKind::bad_input,
                fmt::format("model family {} has no width with {} % fewer filters; it has 0, {}",
                            family.name, choice.fewer_filters_pct,
                            fmt::join(family.fewer_filters_pct, ", ")));
  return {};
}

std::string name_of(const ModelChoice& choice) {
  std::string name = choice.family;
  if (choice.cut != 0) name += fmt::format("-cut{}", choice.cut);
  if (choice.fewer_filters_pct != 0) name += fmt::format("-width{}", choice.fewer_filters_pct);
  return name;
}

}  // namespace

void SpecBuilder::append(LayerSpec layer) {
  layer.inputs = {int(spec_.layers.size()) - 1};
  spec_.layers.push_back(std::move(layer));
}

void SpecBuilder::conv_bn_relu(int index, int filters, int kernel, int stride) {
  const std::string number = std::to_string(index);
  append({.name = "conv" + number,
          .op = LayerOp::convolution,
          .inputs = {},
          .out_channels = filters,
          .kernel = kernel,
          .stride = stride,
          .padding = kernel / 2,
          .batch_norm = true});
  append({.name = "relu" + number, .op = LayerOp::relu, .inputs = {}});
}

void SpecBuilder::max_pool(const std::string& name) {
  append({.name = name, .op = LayerOp::max_pool, .inputs = {}, .kernel = 2, .stride = 2});
}

void SpecBuilder::flatten() {
  append({.name = "flatten", .op = LayerOp::flatten, .inputs = {}});
}

void SpecBuilder::dense(const std::string& name, int outputs) {
  append({.name = name, .op = LayerOp::dense, .inputs = {}, .out_channels = outputs});
}

int scaled_filters(int filters, int fewer_pct) {
  // Half of filters * (100 - fewer_pct) / 100, rounded, in integers: no float decides a shape.
  const int pairs = (filters * (100 - fewer_pct) + 100) / 200;
  return std::max(2, 2 * pairs);
}

std::vector<std::string> known_model_families() {
  std::vector<std::string> names;
  for (const Family& family : families())
    names.emplace_back(family.name);
  return names;
}

Result<ModelSpec> build_model(const ModelChoice& choice, int channels, int height, int width,
                              int classes) {
  const auto& table = families();
  auto family = std::find_if(table.begin(), table.end(),
                             [&](const Family& row) { return row.name == choice.family; });
  if (family == table.end())
    return fail(ErrorKind::bad_input,
                fmt::format("unknown model family '{}'; known: {}", choice.family,
                            fmt::join(known_model_families(), ", ")));
  ASSAY_CHECK(check_choice(*family, choice));
  ModelSpec spec;
  spec.name = name_of(choice);
  spec.channels = channels;
  spec.height = height;
  spec.width = width;
  spec.classes = classes;
  family->build(choice, spec);
  // Proves that the image is large enough for the network.
  ASSAY_CHECK(infer_shapes(spec));
  return spec;
}

}  // namespace assay
