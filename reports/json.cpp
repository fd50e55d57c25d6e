#include "reports/report.hpp"

namespace assay {

std::string render_json(const ReportInput& input) {
  Json records = Json::array();
  for (const auto& record : input.records)
    records.push_back(to_json(record));
  const Json document{{"title", input.title}, {"context", input.context}, {"records", records}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace assay
