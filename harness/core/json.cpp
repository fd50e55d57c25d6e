#include "harness/core/json.hpp"

#include <cmath>

#include <fmt/format.h>

#include "harness/core/file.hpp"

namespace assay {
namespace {

// nlohmann keeps the last of two equal keys; this callback notices them while the text is read.
class DuplicateKeys {
 public:
  bool operator()(int, Json::parse_event_t event, Json& parsed) {
    switch (event) {
      case Json::parse_event_t::object_start:
        keys_.emplace_back();
        break;
      case Json::parse_event_t::object_end:
        keys_.pop_back();
        break;
      case Json::parse_event_t::key: {
        const auto& key = parsed.get_ref<const std::string&>();
        if (!keys_.back().insert(key).second && !duplicate_) duplicate_ = key;
        break;
      }
      default:
        break;
    }
    return true;
  }
  const std::optional<std::string>& duplicate() const { return duplicate_; }

 private:
  std::vector<std::set<std::string>> keys_;
  std::optional<std::string> duplicate_;
};

// "[json.exception.parse_error.101] parse error at line 3, column 5: ..." without its prefix.
std::string parser_sentence(std::string_view what) {
  auto at = what.find("] ");
  return std::string(at == std::string_view::npos ? what : what.substr(at + 2));
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view source) {
  DuplicateKeys duplicates;
  try {
    Json value = Json::parse(text.begin(), text.end(), std::ref(duplicates), true, true);
    if (duplicates.duplicate())
      return fail(ErrorKind::bad_input,
                  fmt::format("{}: the key \"{}\" is given twice in one object; keep one of them",
                              source, *duplicates.duplicate()));
    return value;
  } catch (const Json::exception& error) {
    return fail(ErrorKind::bad_input,
                fmt::format("{} is not valid JSON: {}", source, parser_sentence(error.what())));
  }
}

Result<Json> read_json_file(const std::filesystem::path& path) {
  ASSAY_TRY(auto text, read_text(path));
  return parse_json(text, path.string());
}

namespace {

// Numbers by value: an integral double becomes an integer, so 1 and 1.0 hash alike.
Json normalized(const Json& value) {
  constexpr double exact_limit = 9007199254740992.0;  // 2^53: integers a double holds exactly
  if (value.is_number_float()) {
    double number = value.get<double>();
    if (std::trunc(number) == number && std::abs(number) <= exact_limit)
      return static_cast<std::int64_t>(number);
    return value;
  }
  if (value.is_number_unsigned() && value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX})
    return value.get<std::int64_t>();
  if (!value.is_structured()) return value;
  Json result = value.is_array() ? Json::array() : Json::object();
  for (auto it = value.begin(); it != value.end(); ++it) {
    if (value.is_array())
      result.push_back(normalized(*it));
    else
      result[it.key()] = normalized(*it);
  }
  return result;
}

}  // namespace

std::string canonical_json(const Json& value) {
  return normalized(value).dump();
}

void JsonErrors::add(const std::string& path, const std::string& problem) {
  if (first_) return;
  first_ =
      Error{ErrorKind::bad_input, path.empty() ? fmt::format("{}: {}", source_, problem)
                                               : fmt::format("{}: {}: {}", source_, path, problem)};
}

Status JsonErrors::status() const {
  if (first_) return tl::unexpected(*first_);
  return {};
}

std::string describe(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  return fmt::format("{} {}", value.type_name(), value.dump());
}

JsonObject::JsonObject(const Json& value, std::string path, JsonErrors& errors)
    : value_(&value), path_(std::move(path)), errors_(&errors) {
  static const Json empty = Json::object();
  if (value.is_object()) return;
  errors_->add(path_, "expected an object, found " + describe(value));
  value_ = &empty;
}

JsonObject::~JsonObject() {
  for (auto it = value_->begin(); it != value_->end(); ++it)
    if (!seen_.contains(it.key())) errors_->add(path_of(it.key()), "unknown field");
}

bool JsonObject::has(const std::string& key) const {
  return value_->contains(key);
}

std::string JsonObject::path_of(const std::string& key) const {
  if (key.empty()) return path_;
  return path_.empty() ? key : path_ + "." + key;
}

std::string JsonObject::out_of_range(double value, double low, double high) {
  return fmt::format("expected a number from {:.10g} to {:.10g}, found {:.10g}", low, high, value);
}

void JsonObject::problem(const std::string& key, const std::string& what) {
  errors_->add(path_of(key), what);
}

const Json* JsonObject::take(const std::string& key, bool must_exist) {
  seen_.insert(key);
  auto found = value_->find(key);
  if (found != value_->end()) return &*found;
  if (must_exist) errors_->add(path_of(key), "is missing");
  return nullptr;
}

bool JsonObject::to_bool(const Json& value, const std::string& path) {
  if (value.is_boolean()) return value.get<bool>();
  errors_->add(path, "expected true or false, found " + describe(value));
  return false;
}

double JsonObject::to_double(const Json& value, const std::string& path) {
  if (value.is_number()) return value.get<double>();
  errors_->add(path, "expected a number, found " + describe(value));
  return 0;
}

std::string JsonObject::to_text(const Json& value, const std::string& path) {
  if (value.is_string()) return value.get<std::string>();
  errors_->add(path, "expected text, found " + describe(value));
  return {};
}

std::int64_t JsonObject::to_integer(const Json& value, const std::string& path, std::int64_t low,
                                    std::uint64_t high) {
  double number = value.is_number() ? value.get<double>() : 0.5;
  if (std::trunc(number) != number) {
    errors_->add(path, "expected an integer, found " + describe(value));
    return 0;
  }
  if (number < static_cast<double>(low) || number > static_cast<double>(high)) {
    errors_->add(path, fmt::format("{} is out of range ({} to {})", value.dump(), low, high));
    return 0;
  }
  return value.is_number_float() ? static_cast<std::int64_t>(number) : value.get<std::int64_t>();
}

std::string JsonObject::choice(const std::string& key,
                               std::initializer_list<std::string_view> words,
                               std::optional<std::string> fallback) {
  const Json* value = take(key, !fallback);
  if (!value) return fallback.value_or("");
  std::string word = to_text(*value, path_of(key));
  for (auto candidate : words)
    if (word == candidate) return word;
  problem(key, fmt::format("expected one of {}, found \"{}\"", fmt::join(words, ", "), word));
  return fallback.value_or("");
}

std::uint32_t JsonObject::address(const std::string& key) {
  const Json* value = take(key, true);
  if (!value) return 0;
  if (value->is_number()) return convert<std::uint32_t>(*value, path_of(key));
  const auto text = to_text(*value, path_of(key));
  char* end = nullptr;
  errno = 0;
  const auto number = std::strtoull(text.c_str(), &end, 16);
  if (text.size() > 2 && text.starts_with("0x") && *end == 0 && errno == 0 && number <= UINT32_MAX)
    return static_cast<std::uint32_t>(number);
  problem(key, "expected a 32-bit number such as \"0x40011000\", found " + describe(*value));
  return 0;
}

const Json& JsonObject::raw(const std::string& key) {
  static const Json null;
  const Json* value = take(key, false);
  return value ? *value : null;
}

JsonObject JsonObject::object(const std::string& key) {
  static const Json empty = Json::object();
  const Json* value = take(key, true);
  return JsonObject(value ? *value : empty, path_of(key), *errors_);
}

}  // namespace assay
