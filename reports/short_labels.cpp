#include "reports/short_labels.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace assay {
namespace {

/// The steps that have details, by the names of their parts in a label.
constexpr std::string_view steps = "pk";

/// What labels call them: the prefixes of prune.* and cluster.* in harness/plan/field.cpp. One
/// without a dash stands before a number.
constexpr std::string_view details[] = {"ps-", "pi",  "pb",  "pn",  "pf",  "pg-", "pr-",
                                        "pl-", "px-", "pe",  "plr", "ki-", "kp-", "ks-",
                                        "kz-", "k0-", "kl-", "kx-", "ke",  "klr"};

std::vector<std::string> split(const std::string& label) {
  std::vector<std::string> parts(1);
  for (const char c : label)
    if (c == '_')
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool begins_with(std::string_view part, std::string_view prefix) {
  return part.starts_with(prefix) &&
         (prefix.back() == '-' || (part.size() > prefix.size() && is_digit(part[prefix.size()])));
}

bool is_detail(std::string_view part) {
  return std::ranges::any_of(details, [&](auto prefix) { return begins_with(part, prefix); });
}

/// "p0.5" and "k16".
bool is_step(std::string_view part, char step) {
  return begins_with(part, {&step, 1}) && !is_detail(part);
}

bool has_step(std::span<const std::string> label, char step) {
  return std::ranges::any_of(label, [&](const auto& part) { return is_step(part, step); });
}

/// The step that the part at `index` is a detail of: details stand behind their step. 0 of others.
char step_of(std::span<const std::string> label, std::size_t index) {
  if (!is_detail(label[index])) return 0;
  const char step = label[index].front();
  return has_step(label.first(index), step) ? step : char(0);
}

/// Per step the details that every label with the step has.
std::map<char, std::set<std::string>> shared_details(
    const std::vector<std::vector<std::string>>& labels) {
  std::map<char, std::set<std::string>> shared;
  for (const char step : steps) {
    bool first = true;
    for (const auto& label : labels) {
      if (!has_step(label, step)) continue;
      std::set<std::string> found;
      for (std::size_t i = 0; i < label.size(); ++i)
        if (step_of(label, i) == step && (first || shared[step].count(label[i]) > 0))
          found.insert(label[i]);
      shared[step] = std::move(found);
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
    for (std::size_t i = 0; i < label.size(); ++i)
      if (shared[step_of(label, i)].count(label[i]) == 0) kept.push_back(label[i]);
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
