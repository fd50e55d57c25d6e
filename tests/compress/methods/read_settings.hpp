// Reading settings in tests: the JSON as text in, the settings or the first problem out.
#pragma once

#include <string>

#include "harness/core/json.hpp"

namespace assay::test {

/// What is wrong with `text` as `read` sees it, or "".
template <class Read>
std::string problem_of_settings(const std::string& text, Read read) {
  JsonErrors errors("settings");
  const Json json = Json::parse(text);
  {
    JsonObject object(json, "", errors);
    read(object);
  }
  return errors.failed() ? errors.status().error().message : "";
}

/// The settings in `text`, which must be good ones.
template <class Read>
auto read_settings(const std::string& text, Read read) {
  JsonErrors errors("settings");
  const Json json = Json::parse(text);
  JsonObject object(json, "", errors);
  return read(object);
}

}  // namespace assay::test
