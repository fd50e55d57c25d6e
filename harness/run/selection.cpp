#include "harness/run/selection.hpp"

#include <map>

#include "results/store.hpp"

namespace assay {

Result<Scores> recorded_scores(const Plan& plan, const std::filesystem::path& store) {
  std::map<std::string, double> known;
  const auto& selection = plan.matrix.deploy.selection;
  std::error_code unreadable;
  if (selection && (std::filesystem::exists(store, unreadable) || unreadable)) {
    std::vector<std::string> keys;
    for (std::size_t config = 0; config < plan.configs.size(); ++config)
      keys.push_back(host_key(plan, config));
    ASSAY_TRY(auto opened, Store::open(store, Store::Mode::must_exist));
    ASSAY_TRY(const auto records, opened.find_all(keys));
    const char* metric = selection->by_test ? "accuracy_top1" : "accuracy_top1_validation";
    for (const auto& [key, record] : records)
      if (const auto found = record.metrics.find(metric); found != record.metrics.end())
        known[key] = found->second.value;
  }
  return [known = std::move(known)](const std::string& host_key) -> std::optional<double> {
    const auto found = known.find(host_key);
    if (found == known.end()) return std::nullopt;
    return found->second;
  };
}

Json selection_context(const Plan& plan) {
  const auto& selection = plan.matrix.deploy.selection;
  if (!selection) return nullptr;
  Json selected = Json::array();
  for (const std::size_t config : plan.choice.best)
    selected.push_back(plan.expansion.configs[config].config_id());
  return {{"matrix", plan.matrix.name},
          {"over", selection->over},
          {"by", criterion(*selection)},
          {"selected", selected}};
}

Json comparison_context(const Plan& plan) {
  const auto& comparison = plan.matrix.comparison;
  if (!comparison) return nullptr;
  Json references = Json::object();
  for (const Config& config : plan.expansion.configs) {
    const auto baseline = baseline_of(comparison->to, config);
    if (baseline && baseline->config_id() != config.config_id())
      references[config.group_id()] = baseline->group_id();
  }
  return {{"to", comparison->to}, {"within_pp", comparison->within_pp}, {"references", references}};
}

}  // namespace assay
