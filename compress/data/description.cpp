#include "compress/data/description.hpp"

#include <fmt/format.h>

#include <cmath>

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr int largest_side = 1024;

int read_extent(JsonObject& object, const std::string& key) {
  const int value = object.required<int>(key);
  if (object.has(key) && (value < 1 || value > largest_side))
    object.problem(key, fmt::format("expected 1 to {} pixels, found {}", largest_side, value));
  return value;
}

fs::path read_path(JsonObject& object, const std::string& key, const fs::path& folder) {
  const auto text = object.required<std::string>(key);
  if (object.has(key) && text.empty()) object.problem(key, "expected a path, found \"\"");
  return folder / text;
}

void read_columns(JsonObject columns, CsvSource& csv) {
  csv.image_column = columns.optional<std::string>("image", csv.image_column);
  csv.class_column = columns.maybe<std::string>("class");
  csv.target_columns = columns.list<std::string>("targets");
  csv.subject_column = columns.maybe<std::string>("subject");
  csv.split_column = columns.maybe<std::string>("split");
  if (csv.class_column.has_value() == !csv.target_columns.empty())
    columns.problem("", "give either \"class\" (one column) or \"targets\" (a list of columns)");
}

std::variant<FolderSource, CsvSource> read_source(JsonObject& object, const fs::path& folder) {
  const auto kind = object.choice("kind", {"folder", "csv"});
  const fs::path path = read_path(object, "path", folder);
  if (kind == "folder") return FolderSource{path};
  CsvSource csv;
  csv.path = path;
  csv.images = object.has("images") ? read_path(object, "images", folder) : path.parent_path();
  if (kind == "csv") read_columns(object.object("columns"), csv);
  return csv;
}

SplitParts read_parts(JsonObject object) {
  SplitParts parts;
  parts.validation = object.optional("validation", parts.validation);
  parts.test = object.optional("test", parts.test);
  for (const auto& [key, part] : {std::pair{"validation", parts.validation}, {"test", parts.test}})
    if (!(part > 0 && part < 1))
      object.problem(key, fmt::format("expected a part above 0 and below 1, found {}", part));
  if (parts.validation + parts.test >= 1)
    object.problem("", fmt::format("validation {} and test {} leave nothing to train on",
                                   parts.validation, parts.test));
  return parts;
}

Normalization read_normalization(JsonObject object, int channels) {
  Normalization given{object.list<float>("mean"), object.list<float>("deviation")};
  for (const auto& [key, values] :
       {std::pair{"mean", &given.mean}, {"deviation", &given.deviation}})
    if (int(values->size()) != channels)
      object.problem(key, fmt::format("expected {} number(s), one per channel, found {}", channels,
                                      values->size()));
  for (const float deviation : given.deviation)
    if (!(deviation > 0)) object.problem("deviation", "expected numbers above 0");
  return given;
}

}  // namespace

Result<DatasetDescription> read_description(const std::string& path) {
  ASSAY_TRY(const auto json, read_json_file(path));
  JsonErrors errors(path);
  DatasetDescription set;
  set.name = path;
  {
    JsonObject object(json, "", errors);
    set.title = object.optional<std::string>("title", fs::path(path).stem().string());
    set.source = read_source(object, fs::path(path).parent_path());
    set.channels = object.required<int>("channels");
    if (object.has("channels") && set.channels != 1 && set.channels != 3)
      object.problem("channels", fmt::format("expected 1 or 3, found {}", set.channels));
    set.height = read_extent(object, "height");
    set.width = read_extent(object, "width");
    set.convert_color = object.optional("convert_color", set.convert_color);
    if (object.has("splits")) set.parts = read_parts(object.object("splits"));
    if (object.has("normalization"))
      set.normalization = read_normalization(object.object("normalization"), set.channels);
  }
  ASSAY_CHECK(errors.status());
  set.canonical = canonical_json(json);
  return set;
}

}  // namespace assay
