// Which configurations of a report were selected, and by what: read from the context's
// "selections", a list of {"matrix", "over", "by", "selected"} (fields, criterion, config_ids).
// Pure, thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/core/json.hpp"

namespace assay {

class SelectionNotes {
 public:
  /// From a report's context; a context that has no selections, or malformed ones, gives no notes.
  explicit SelectionNotes(const Json& context);

  /// "*" for one selected by validation, "†" by test accuracy, "" for others.
  std::string mark(const std::string& config_id) const;
  /// The sentence behind a mark, without full stop; "" for a configuration that was not selected.
  std::string meaning(const std::string& config_id) const;
  bool empty() const { return selected_.empty(); }

 private:
  struct Note {
    bool by_test = false;
    std::string meaning;
  };
  std::map<std::string, Note> selected_;  ///< by config_id
};

}  // namespace assay
