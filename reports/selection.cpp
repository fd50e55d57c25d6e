#include "reports/selection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace assay {
namespace {

std::vector<std::string> texts_of(const Json& object, const char* key) {
  std::vector<std::string> texts;
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return texts;
  for (const auto& value : *found)
    if (value.is_string()) texts.push_back(value.get<std::string>());
  return texts;
}

std::string meaning_of(bool by_test, const std::vector<std::string>& over) {
  const auto best = fmt::format("the best over {}", fmt::join(over, ", "));
  if (!by_test) return best + ", selected by validation accuracy";
  return best + ", selected by test accuracy, as the source did; such a choice flatters the result";
}

}  // namespace

SelectionNotes::SelectionNotes(const Json& context) {
  if (!context.is_object() || !context.contains("selections")) return;
  for (const auto& selection : context.at("selections")) {
    if (!selection.is_object()) continue;
    const auto by = selection.find("by");
    const bool by_test = by != selection.end() && *by == "accuracy_top1@test";
    for (const auto& config : texts_of(selection, "selected")) {
      // Chosen twice, what flatters is said.
      Note& note = selected_[config];
      if (note.meaning.empty() || by_test)
        note = {by_test, meaning_of(by_test, texts_of(selection, "over"))};
    }
  }
}

std::string SelectionNotes::mark(const std::string& config_id) const {
  const auto found = selected_.find(config_id);
  if (found == selected_.end()) return "";
  return found->second.by_test ? "†" : "*";
}

std::string SelectionNotes::meaning(const std::string& config_id) const {
  const auto found = selected_.find(config_id);
  return found == selected_.end() ? "" : found->second.meaning;
}

}  // namespace assay
