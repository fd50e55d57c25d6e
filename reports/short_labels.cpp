#include "reports/short_labels.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace assay {
namespace {

/// The steps that have details, by the names of their parts in a label.
constexpr std::string_view steps = "pk";

std::vector<std::string> split(const std::string& label) {
  std::vector<std::string> parts(1);
  for (const char c : label)
    if (c == '_')
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

/// "plr" of "plr0.006", "pg" of "pg-block-1x4".
std::string name_of(const std::string& part) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return {part.begin(), std::ranges::find_if_not(part, is_letter)};
}

/// The step a part is a detail of, in a label that has that step; 0 of other parts.
char step_of(const std::string& part, const std::vector<std::string>& label) {
  const std::string name = name_of(part);
  if (name.size() < 2 || name.size() > 3 || steps.find(name.front()) == std::string::npos) return 0;
  const std::string step(1, name.front());
  return std::ranges::count(label, step, name_of) == 1 ? step.front() : char(0);
}

/// Per step the details that every label with the step has.
std::map<char, std::set<std::string>> shared_details(
    const std::vector<std::vector<std::string>>& labels) {
  std::map<char, std::set<std::string>> shared;
  for (const char step : steps) {
    bool first = true;
    for (const auto& label : labels) {
      if (std::ranges::count(label, std::string(1, step), name_of) == 0) continue;
      std::set<std::string> details;
      for (const auto& part : label)
        if (step_of(part, label) == step && (first || shared[step].count(part) > 0))
          details.insert(part);
      shared[step] = std::move(details);
      first = false;
    }
  }
  return shared;
}

}  // namespace

ShortLabels shorten_labels(const std::vector<std::string>& labels) {
  std::vector<std::vector<std::string>> split_labels;
  std::ranges::transform(labels, std::back_inserter(split_labels), split);
  auto shared = shared_details(split_labels);
  ShortLabels shortened;
  for (const auto& label : split_labels) {
    std::vector<std::string> kept;
    std::ranges::copy_if(label, std::back_inserter(kept), [&](const std::string& part) {
      return shared[step_of(part, label)].count(part) == 0;
    });
    shortened.labels.push_back(fmt::format("{}", fmt::join(kept, "_")));
  }
  for (const char step : steps)
    if (!shared[step].empty())
      shortened.left_out.push_back(
          {fmt::format("{}:", step), fmt::format("with {}", fmt::join(shared[step], ", "))});
  return shortened;
}

ReportTable printed_table(const ReportInput& input, ColumnChoice choice) {
  ReportTable table = report_table(input, choice);
  std::vector<std::string> labels;
  std::ranges::transform(table.rows, std::back_inserter(labels), &Row::label);
  ShortLabels shortened = shorten_labels(labels);
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    table.rows[i].label = std::move(shortened.labels[i]);
  std::ranges::move(shortened.left_out, std::back_inserter(table.notes));
  return table;
}

}  // namespace assay
