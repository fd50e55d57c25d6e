#include "harness/plan/schema.hpp"

#include "harness/plan/field.hpp"

namespace assay {
namespace {

const char* type_name(FieldType type) {
  switch (type) {
    case FieldType::integer:
      return "integer";
    case FieldType::number:
      return "number";
    case FieldType::boolean:
      return "boolean";
    case FieldType::text:
      break;
  }
  return nullptr;
}

Json value_schema(const Field& field) {
  Json ways = Json::array();
  if (!field.words.empty()) ways.push_back({{"enum", field.words}});
  if (const char* name = type_name(field.type)) {
    Json typed{{"type", name}};
    if (field.type != FieldType::boolean) {
      typed["minimum"] = field.low;
      typed["maximum"] = field.high;
    }
    ways.push_back(typed);
  }
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
  const Json target{
      {"type", "object"},
      {"properties",
       {{"board_type", {{"type", "string"}, {"description", "A board type, a part or its alias."}}},
        {"virtual", {{"type", "boolean"}, {"default", false}}},
        {"clock_mhz", {{"type", "number"}, {"exclusiveMinimum", 0}}}}},
      {"required", {"board_type"}},
      {"additionalProperties", false}};
  return {
      {"type", "object"},
      {"properties",
       {{"on", {{"type", "array"}, {"items", target}, {"minItems", 1}}},
        {"formats", {{"type", "array"}, {"items", {{"enum", {"int8"}}}}, {"minItems", 1}}},
        {"samples", {{"type", "integer"}, {"minimum", 1}, {"maximum", 10000}, {"default", 500}}}}},
      {"required", {"on"}},
      {"additionalProperties", false}};
}

}  // namespace

Json matrix_schema() {
  Json exclude = values_schema();
  exclude["minProperties"] = 1;
  return {{"$schema", "http://json-schema.org/draft-07/schema#"},
          {"title", "assay matrix"},
          {"type", "object"},
          {"properties",
           {{"$schema", {{"type", "string"}}},
            {"name", {{"type", "string"}, {"pattern", "^[A-Za-z0-9_-]+$"}}},
            {"base", values_schema()},
            {"sweep", sweep_schema()},
            {"exclude", {{"type", "array"}, {"items", exclude}}},
            {"baselines", {{"type", "array"}, {"items", {{"enum", {"teacher", "plain"}}}}}},
            {"deploy", deploy_schema()}}},
          {"required", {"name"}},
          {"additionalProperties", false}};
}

}  // namespace assay
