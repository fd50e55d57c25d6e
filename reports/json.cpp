#include "reports/report.hpp"
#include "reports/selection.hpp"

namespace assay {
namespace {

/// The record, and why it was chosen.
Json json_of(const Record& record, const SelectionNotes& selection) {
  Json json = to_json(record);
  if (auto meaning = selection.meaning(record.config_id); !meaning.empty())
    json["selected"] = std::move(meaning);
  return json;
}

}  // namespace

std::string render_json(const ReportInput& input) {
  const SelectionNotes selection(input.context);
  Json records = Json::array();
  for (const auto& record : input.records)
    records.push_back(json_of(record, selection));
  const Json document{{"title", input.title}, {"context", input.context}, {"records", records}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace assay
