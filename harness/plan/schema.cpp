#include "harness/plan/schema.hpp"

#include "harness/plan/expansion.hpp"
#include "harness/plan/field.hpp"
#include "harness/plan/matrix.hpp"

namespace assay {
namespace {

/// ".(\\.onnx|\\.pt)$": a name, then one of the endings.
std::string path_pattern(const Field& field) {
  std::string endings;
  for (const std::string& ending : field.file_endings)
    endings += (endings.empty() ? "\\" : "|\\") + ending;
  return ".(" + endings + ")$";
}

/// What the type takes beside the words; null for a text.
Json typed_schema(const Field& field) {
  const Json name{{"type", "string"}, {"minLength", 1}};
  switch (field.type) {
    case FieldType::text:
      if (field.file_endings.empty()) return nullptr;
      return {{"type", "string"}, {"pattern", path_pattern(field)}};
    case FieldType::boolean:
      return {{"type", "boolean"}};
    case FieldType::integer:
    case FieldType::number:
      return {{"type", field.type == FieldType::integer ? "integer" : "number"},
              {"minimum", field.low},
              {"maximum", field.high}};
    case FieldType::names:
      return {{"type", "array"}, {"items", name}, {"minItems", 1}};
    case FieldType::table:
      return {
          {"type", "object"},
          {"additionalProperties", field.entries.empty() ? name : Json{{"enum", field.entries}}},
          {"minProperties", 1}};
  }
  return nullptr;
}

Json value_schema(const Field& field) {
  Json ways = Json::array();
  if (!field.words.empty()) ways.push_back({{"enum", field.words}});
  if (Json typed = typed_schema(field); !typed.is_null()) ways.push_back(std::move(typed));
  Json schema = ways.size() == 1 ? ways[0] : Json{{"anyOf", ways}};
  schema["description"] = field.meaning;
  if (!field.fallback.is_null()) schema["default"] = field.fallback;
  return schema;
}

/// Nested ("train": {"epochs": ...}) and dotted ("train.epochs") spellings of every field.
Json values_schema() {
  Json properties = Json::object();
  for (const auto& field : config_fields()) {
    properties[field.path] = value_schema(field);
    const auto dot = field.path.find('.');
    if (dot == std::string::npos) continue;
    Json& group = properties[field.path.substr(0, dot)];
    group["type"] = "object";
    group["additionalProperties"] = false;
    group["minProperties"] = 1;
    group["properties"][field.path.substr(dot + 1)] = value_schema(field);
  }
  return {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
}

Json sweep_schema() {
  const Json range{{"type", "object"},
                   {"properties",
                    {{"from", {{"type", "number"}}},
                     {"to", {{"type", "number"}}},
                     {"step", {{"type", "number"}}}}},
                   {"required", {"from", "to", "step"}},
                   {"additionalProperties", false}};
  Json properties = Json::object();
  for (const auto& field : config_fields()) {
    Json ways = Json::array();
    ways.push_back({{"type", "array"}, {"items", value_schema(field)}, {"minItems", 1}});
    if (field.type == FieldType::integer || field.type == FieldType::number) ways.push_back(range);
    properties[field.path] = ways.size() == 1 ? ways[0] : Json{{"anyOf", ways}};
  }
  return {{"type", "object"},
          {"description", "Fields to vary, by dotted path: a list, or an inclusive range."},
          {"properties", properties},
          {"additionalProperties", false}};
}

Json deploy_schema() {
  const Json optimize{{"enum", {"latency", "flash", "balanced"}},
                      {"default", "latency"},
                      {"description", "What the kernel of every layer is chosen for."}};
  const Json ram_budget{
      {"type", "integer"},
      {"minimum", 0},
      {"description",
       "Most bytes of tensors and scratch; layers run in strips where that is what it takes. "
       "Default: what the part has."}};
  const Json target{
      {"type", "object"},
      {"properties",
       {{"board_type", {{"type", "string"}, {"description", "A board type, a part or its alias."}}},
        {"virtual", {{"type", "boolean"}, {"default", false}}},
        {"clock_mhz", {{"type", "number"}, {"exclusiveMinimum", 0}}},
        {"optimize", optimize},
        {"ram_budget_bytes", ram_budget}}},
      {"required", {"board_type"}},
      {"additionalProperties", false}};
  Json fields = Json::array();
  for (const auto& field : config_fields())
    fields.push_back(field.path);
  return {
      {"type", "object"},
      {"properties",
       {{"best_over",
         {{"type", "array"},
          {"items", {{"enum", fields}}},
          {"minItems", 1},
          {"uniqueItems", true},
          {"description",
           "Of configurations that differ only in these swept fields, only the best is "
           "deployed."}}},
        {"by",
         {{"enum", {"accuracy_top1@validation", "accuracy_top1@test"}},
          {"default", "accuracy_top1@validation"},
          {"description", "What the best has most of; @test flatters the result."}}},
        {"on", {{"type", "array"}, {"items", target}, {"minItems", 1}}},
        {"formats", {{"type", "array"}, {"items", {{"enum", {"int8"}}}}, {"minItems", 1}}},
        {"optimize", optimize},
        {"flash_budget_bytes",
         {{"type", "integer"},
          {"minimum", 0},
          {"description",
           "Most bytes of constants and kernel code of all layers; default: what the part has."}}},
        {"latency_budget_us",
         {{"type", "number"},
          {"exclusiveMinimum", 0},
          {"description", "Most modelled microseconds of all layers; default: none."}}},
        {"ram_budget_bytes", ram_budget},
        {"samples", {{"type", "integer"}, {"minimum", 1}, {"maximum", 10000}, {"default", 500}}}}},
      {"anyOf", {{{"required", {"on"}}}, {{"required", {"best_over"}}}}},
      {"dependencies", {{"by", {"best_over"}}}},
      {"additionalProperties", false}};
}

Json comparison_schema() {
  return {{"type", "object"},
          {"description", "Hold every configuration against one of its baselines."},
          {"properties",
           {{"to", {{"enum", known_baselines()}}},
            {"within_pp",
             {{"type", "number"},
              {"minimum", 0},
              {"maximum", 100},
              {"default", 0.5},
              {"description", "Percentage points within which accuracies are equal."}}}}},
          {"required", {"to"}},
          {"additionalProperties", false}};
}

}  // namespace

Json matrix_schema() {
  Json exclude = values_schema();
  exclude["minProperties"] = 1;
  const Json variants{
      {"type", "array"},
      {"items", values_schema()},
      {"minItems", 1},
      {"description", "Sets of fields, each over base and multiplied with the sweep."}};
  return {{"$schema", "http://json-schema.org/draft-07/schema#"},
          {"title", "assay matrix"},
          {"type", "object"},
          {"properties",
           {{"$schema", {{"type", "string"}}},
            {"name", {{"type", "string"}, {"pattern", "^[A-Za-z0-9_-]{1,100}$"}}},
            {"base", values_schema()},
            {"variants", variants},
            {"sweep", sweep_schema()},
            {"exclude", {{"type", "array"}, {"items", exclude}}},
            {"baselines", {{"type", "array"}, {"items", {{"enum", known_baselines()}}}}},
            {"compare", comparison_schema()},
            {"deploy", deploy_schema()}}},
          {"required", {"name"}},
          {"additionalProperties", false}};
}

}  // namespace assay
