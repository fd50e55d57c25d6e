// Every field a configuration can have, described once: path, type, limits, default, meaning.
// Parsing, sweeping, the published JSON Schema and the labels are all made from this table.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/json.hpp"

namespace assay {

enum class FieldType {
  text,  ///< one of the words
  integer,
  number,
  boolean,
  names,  ///< a list of names, in no order; kept sorted
  table,  ///< an object: name -> one of the entries, or -> another name
};

/// One field of a configuration, named by its dotted path ("train.epochs").
struct Field {
  std::string path;
  FieldType type = FieldType::text;
  std::vector<Json> words;  ///< values allowed as they stand, beside the type's own
  double low = 0;           ///< limits of a number or integer, inclusive
  double high = 0;
  Json fallback;      ///< value when not given (in a group, once the group is there); null: absent
  std::string label;  ///< prefix in cell labels ("T"); empty: the value says it alone
  std::string meaning;             ///< one sentence, for the schema and the guide
  std::vector<Json> entries = {};  ///< values a table's names may have; empty: any name
  /// A text field with some takes a path too that ends in one of them (".json").
  std::vector<std::string> file_endings = {};
};

/// The table, in the order of the guide.
std::span<const Field> config_fields();

/// The field of that path, or nullptr.
const Field* find_field(std::string_view path);

/// The ending of a text that is a path as the field takes one; nothing for other texts.
std::optional<std::string_view> path_ending(const Field& field, std::string_view text);

/// What values the field takes, for messages: "an integer from 1 to 1000".
std::string expected_values(const Field& field);

/// The value in its canonical type (1.0 becomes 1 in an integer field). Errors: bad_input with
/// "expected ..., found ...", without the path, which the caller knows.
Result<Json> normalize_value(const Field& field, const Json& value);

}  // namespace assay
