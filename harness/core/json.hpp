// The one JSON reader: parse strictly, read fields by name, report the path of the bad one.
//
// parse_json accepts comments and refuses duplicate keys. JsonObject reads an object field by
// field; the first problem is kept in JsonErrors together with its path, later reads return
// defaults, and a field nobody asked for is an error when the JsonObject goes out of scope. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/core/result.hpp"

namespace assay {

using Json = nlohmann::json;

/// Parses JSON with // and /* */ comments. `source` names the text in messages. Errors (bad_input):
/// malformed text, with line and column; a key given twice in one object.
Result<Json> parse_json(std::string_view text, std::string_view source);

/// Reads and parses a file. Errors: bad_input as above, or the file cannot be read.
Result<Json> read_json_file(const std::filesystem::path& path);

/// The identity form: keys sorted, no spaces, and numbers by value (1 and 1.0 are one number).
std::string canonical_json(const Json& value);

/// Keeps the first problem found while reading one document.
class JsonErrors {
 public:
  explicit JsonErrors(std::string source) : source_(std::move(source)) {}
  /// Notes a problem at `path` ("" is the document itself) unless one is already noted.
  void add(const std::string& path, const std::string& problem);
  bool failed() const { return first_.has_value(); }
  /// The first problem, or success.
  Status status() const;

 private:
  std::string source_;
  std::optional<Error> first_;
};

/// "expected an integer, found a string \"64k\"" style description of a value, for messages.
std::string describe(const Json& value);

/// Strict field-by-field view of a JSON object.
class JsonObject {
 public:
  JsonObject(const Json& value, std::string path, JsonErrors& errors);
  ~JsonObject();
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;

  bool has(const std::string& key) const;
  const std::string& path() const { return path_; }
  std::string path_of(const std::string& key) const;
  /// Notes a problem with the value of `key` ("" for the object itself).
  void problem(const std::string& key, const std::string& what);

  /// A field that must be there. T: bool, std::string, double or an integer type (range-checked).
  template <class T>
  T required(const std::string& key) {
    if (const Json* value = take(key, true)) return convert<T>(*value, path_of(key));
    return T{};
  }
  /// A field with a default.
  template <class T>
  T optional(const std::string& key, T fallback) {
    const Json* value = take(key, false);
    return value ? convert<T>(*value, path_of(key)) : std::move(fallback);
  }
  /// A field that may be absent or null.
  template <class T>
  std::optional<T> maybe(const std::string& key) {
    const Json* value = take(key, false);
    if (!value || value->is_null()) return std::nullopt;
    return convert<T>(*value, path_of(key));
  }
  /// A number from `low` to `high`; a problem and `low` where it is not.
  template <class T>
  T required_within(const std::string& key, T low, T high) {
    const T value = required<T>(key);
    if (value >= low && value <= high) return value;
    problem(key, out_of_range(static_cast<double>(value), static_cast<double>(low),
                              static_cast<double>(high)));
    return low;
  }
  /// The same of a field that may be absent or null.
  template <class T>
  std::optional<T> maybe_within(const std::string& key, T low, T high) {
    if (!has(key) || raw(key).is_null()) return std::nullopt;
    return required_within<T>(key, low, high);
  }
  /// One of the given words.
  std::string choice(const std::string& key, std::initializer_list<std::string_view> words,
                     std::optional<std::string> fallback = std::nullopt);
  /// A 32-bit address or register value written as "0x40011000" or as a number.
  std::uint32_t address(const std::string& key);
  /// The value itself, marked as read; null when absent.
  const Json& raw(const std::string& key);
  /// Calls `each(JsonObject&)` for every element of an array of objects (absent = empty).
  template <class Each>
  void for_each_object(const std::string& key, Each each) {
    const Json* list = take(key, false);
    if (!list) return;
    if (!list->is_array()) return problem(key, "expected an array, found " + describe(*list));
    for (std::size_t i = 0; i < list->size(); ++i) {
      JsonObject element((*list)[i], path_of(key) + "[" + std::to_string(i) + "]", *errors_);
      each(element);
    }
  }
  /// Every element of an array of scalars (absent = empty).
  template <class T>
  std::vector<T> list(const std::string& key) {
    std::vector<T> values;
    const Json* found = take(key, false);
    if (!found) return values;
    if (!found->is_array()) {
      problem(key, "expected an array, found " + describe(*found));
      return values;
    }
    for (std::size_t i = 0; i < found->size(); ++i)
      values.push_back(convert<T>((*found)[i], path_of(key) + "[" + std::to_string(i) + "]"));
    return values;
  }
  /// A nested object; absent or wrong: an error, and an empty object to read defaults from.
  JsonObject object(const std::string& key);

  JsonErrors& errors() { return *errors_; }

 private:
  const Json* take(const std::string& key, bool must_exist);
  static std::string out_of_range(double value, double low, double high);
  bool to_bool(const Json& value, const std::string& path);
  double to_double(const Json& value, const std::string& path);
  std::string to_text(const Json& value, const std::string& path);
  std::int64_t to_integer(const Json& value, const std::string& path, std::int64_t low,
                          std::uint64_t high);

  template <class T>
  T convert(const Json& value, const std::string& path) {
    if constexpr (std::is_same_v<T, bool>) {
      return to_bool(value, path);
    } else if constexpr (std::is_same_v<T, std::string>) {
      return to_text(value, path);
    } else if constexpr (std::is_floating_point_v<T>) {
      return static_cast<T>(to_double(value, path));
    } else {
      static_assert(std::is_integral_v<T>, "JsonObject reads bool, string, number and integer");
      return static_cast<T>(to_integer(value, path, std::int64_t{std::numeric_limits<T>::min()},
                                       std::uint64_t{std::numeric_limits<T>::max()}));
    }
  }

  const Json* value_;  // always an object
  std::string path_;
  JsonErrors* errors_;
  std::set<std::string> seen_;
};

}  // namespace assay
