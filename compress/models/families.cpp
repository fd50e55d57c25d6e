#include "compress/models/families.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string_view>

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
  // The larger networks come as published: their compression is the pipeline's business.
  static const std::vector<Family> table = {
      {"conv3", {}, {10, 30, 50, 70}, build_conv3},
      {"conv5", {4, 5}, {10, 30, 50, 70}, build_conv5},
      {"lenet-300-100", {}, {10, 30, 50, 70}, build_lenet_300_100},
      {"lenet5", {}, {10, 30, 50, 70}, build_lenet5},
      {"resnet8", {}, {}, build_resnet8},
      {"ds-cnn", {}, {10, 30, 50, 70}, build_ds_cnn},
      {"mcunet-vww0", {}, {}, build_mcunet_vww0},
      {"mobilenet-v1-025", {}, {}, build_mobilenet_v1_025},
      {"mobilenet-v2", {}, {}, build_mobilenet_v2},
      {"resnet18", {}, {}, build_resnet18},
      {"resnet50", {}, {}, build_resnet50},
      {"densenet121", {}, {}, build_densenet121},
      {"se-preact-resnet101", {}, {}, build_se_preact_resnet101},
  };
  return table;
}

bool offers(const std::vector<int>& values, int value) {
  return value == 0 || std::find(values.begin(), values.end(), value) != values.end();
}

/// "0 (whole), 4, 5".
std::string offer_text(const std::string& zero, const std::vector<int>& values) {
  return values.empty() ? zero + " only" : fmt::format("{}, {}", zero, fmt::join(values, ", "));
}

Status check_choice(const Family& family, const ModelChoice& choice) {
  if (!offers(family.cuts, choice.cut))
    return fail(ErrorKind::bad_input,
                fmt::format("model family {} has no cut {}; it has {}", family.name, choice.cut,
                            offer_text("0 (whole)", family.cuts)));
  if (!offers(family.fewer_filters_pct, choice.fewer_filters_pct))
    return fail(
        ErrorKind::bad_input,
        fmt::format("model family {} has no width with {} % fewer filters; it has {}", family.name,
                    choice.fewer_filters_pct, offer_text("0", family.fewer_filters_pct)));
  return {};
}

std::string name_of(const ModelChoice& choice) {
  std::string name = choice.family;
  if (choice.cut != 0) name += fmt::format("-cut{}", choice.cut);
  if (choice.fewer_filters_pct != 0) name += fmt::format("-width{}", choice.fewer_filters_pct);
  return name;
}

}  // namespace

std::vector<std::string> known_model_families() {
  std::vector<std::string> names;
  for (const Family& family : families())
    names.emplace_back(family.name);
  return names;
}

std::vector<int> known_fewer_filters_pct() {
  std::set<int> widths{0};
  for (const Family& family : families())
    widths.insert(family.fewer_filters_pct.begin(), family.fewer_filters_pct.end());
  return {widths.begin(), widths.end()};
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
