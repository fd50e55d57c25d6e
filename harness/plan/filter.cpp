#include "harness/plan/filter.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "harness/plan/field.hpp"

namespace assay {
namespace {

/// A number, true or false as such; everything else is a word.
Json value_of(std::string_view text) {
  Json value = Json::parse(text, nullptr, false);
  return value.is_number() || value.is_boolean() ? value : Json(std::string(text));
}

Status add_condition(std::string_view text, FieldValues& filter) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos)
    return fail(ErrorKind::bad_input,
                fmt::format("\"{}\" is not of the form field=value, as in student.cut=4", text));
  const std::string path(text.substr(0, equals));
  const Field* field = find_field(path);
  if (!field)
    return fail(ErrorKind::bad_input,
                fmt::format("\"{}\" is not a field of a configuration; assay plan --schema lists "
                            "them",
                            path));
  auto value = normalize_value(*field, value_of(text.substr(equals + 1)));
  if (!value) return fail(ErrorKind::bad_input, fmt::format("{}: {}", path, value.error().message));
  if (!filter.emplace(path, *value).second)
    return fail(ErrorKind::bad_input, fmt::format("{} is given twice", path));
  return {};
}

}  // namespace

Result<FieldValues> parse_filter(std::string_view text) {
  FieldValues filter;
  while (!text.empty()) {
    const auto comma = text.find(',');
    ASSAY_CHECK(add_condition(text.substr(0, comma), filter));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return filter;
}

bool matches(const Config& config, const FieldValues& filter) {
  return std::ranges::all_of(filter, [&](const auto& wanted) {
    const auto found = config.values().find(wanted.first);
    return found != config.values().end() && found->second == wanted.second;
  });
}

}  // namespace assay
