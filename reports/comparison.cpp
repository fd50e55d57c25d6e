#include "reports/comparison.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "reports/grouping.hpp"
#include "reports/number.hpp"
#include "reports/short_labels.hpp"
#include "reports/statistics.hpp"

namespace assay {
namespace {

/// A figure of both rows, and whether their ratio is shown too.
struct ComparedMetric {
  std::string_view name;
  std::string_view ratio;  ///< title of its column; empty without
};

constexpr std::array compared_metrics{
    ComparedMetric{"accuracy_top1", ""},
    ComparedMetric{"rom_weights_bytes", "Weights ×"},
    ComparedMetric{"rom_bytes", "Flash ×"},
    ComparedMetric{"ram_bytes", "RAM ×"},
    ComparedMetric{"instructions", "Instructions ×"},
    ComparedMetric{"cycles", ""},
    ComparedMetric{"latency_us", "Time ×"},
    ComparedMetric{"energy_uj", "Energy ×"},
};

const Json* request_of(const ReportInput& input) {
  if (!input.context.is_object()) return nullptr;
  const auto found = input.context.find("comparison");
  return found != input.context.end() && found->is_object() ? &*found : nullptr;
}

const Record& first_record(const Row& row, const ReportInput& input) {
  return input.records[row.records.front()];
}

bool same_place(const Row& a, const Row& b, const ReportInput& input) {
  const Record& first = first_record(a, input);
  const Record& second = first_record(b, input);
  return a.board == b.board && a.board_type == b.board_type && a.virtual_board == b.virtual_board &&
         core_clock(first) == core_clock(second) && kernel_goal(first) == kernel_goal(second);
}

const Row* reference_of(const Row& row, const ReportTable& table, const ReportInput& input) {
  const Json& references = request_of(input)->at("references");
  const auto group = references.find(first_record(row, input).group_id);
  if (group == references.end() || row.on_host()) return nullptr;
  const auto found = std::ranges::find_if(table.rows, [&](const Row& other) {
    return first_record(other, input).group_id == *group && same_place(row, other, input);
  });
  return found == table.rows.end() ? nullptr : &*found;
}

/// The accuracy of each seed of a row that passed.
std::map<Json, double> accuracies(const Row& row, const ReportInput& input) {
  std::map<Json, double> by_seed;
  for (const std::size_t index : row.records) {
    const Record& record = input.records[index];
    const auto found = record.metrics.find("accuracy_top1");
    if (record.verdict == Verdict::pass && found != record.metrics.end())
      by_seed[record.config.value("seed", Json())] = found->second.value;
  }
  return by_seed;
}

std::optional<Figure> accuracy_difference(const Row& row, const Row& reference,
                                          const ReportInput& input) {
  const auto before = accuracies(reference, input);
  std::vector<double> differences;
  for (const auto& [seed, accuracy] : accuracies(row, input))
    if (const auto found = before.find(seed); found != before.end())
      differences.push_back(accuracy - found->second);
  if (differences.empty()) return std::nullopt;
  return Figure{mean(differences), confidence_half_width(differences), Provenance::computed};
}

std::optional<double> ratio_of(const Row& row, const Row& reference, std::string_view metric) {
  const auto value = row.figures.find(std::string(metric));
  const auto before = reference.figures.find(std::string(metric));
  if (value == row.figures.end() || before == reference.figures.end()) return std::nullopt;
  if (before->second.value == 0) return std::nullopt;
  return value->second.value / before->second.value;
}

std::string ratio_text(std::optional<double> ratio, const FigureStyle& style) {
  return ratio ? format_number(*ratio, 3, style.thousands) : std::string(style.absent);
}

std::string difference_text(const Contrast& contrast, const FigureStyle& style) {
  if (!contrast.accuracy) return std::string(style.absent);
  std::string text = fmt::format("{:+.2f}", contrast.accuracy->value);
  if (contrast.accuracy->half_width)
    text += fmt::format("{}{:.2f}", style.plus_minus, *contrast.accuracy->half_width);
  return text;
}

/// Builds the rows of the grid, all with the same columns.
class ComparisonRows {
 public:
  ComparisonRows(const ReportTable& table, const ReportInput& input, const FigureStyle& style)
      : input_(input), style_(style) {
    for (const ComparedMetric& metric : compared_metrics) {
      const auto column = std::ranges::find(table.columns, metric.name, &Column::name);
      if (column != table.columns.end()) shown_.push_back({&*column, metric});
    }
  }

  std::vector<GridColumn> columns(double within) const {
    std::vector<GridColumn> columns{
        {"Model", "", false}, {"Board", "", false}, {"Kernels for", "", false}};
    for (const auto& [column, metric] : shown_) {
      const std::string mark =
          column->provenance ? std::string(provenance_mark(*column->provenance)) : "";
      const char* space = column->unit.empty() || mark.empty() ? "" : " ";
      columns.push_back({column->title, column->unit + space + mark, true});
    }
    columns.push_back({"Accuracy +", "pp", true});
    columns.push_back({"Equal", fmt::format("±{:g} pp", within), false});
    for (const auto& [column, metric] : shown_)
      if (!metric.ratio.empty()) columns.push_back({std::string(metric.ratio), "", true});
    columns.push_back({"Gain", "", false});
    return columns;
  }

  std::vector<std::string> reference(const Row& row) const {
    std::vector<std::string> cells = figures(row);
    cells.resize(cells.size() + 2);
    for (const auto& [column, metric] : shown_)
      if (!metric.ratio.empty()) cells.emplace_back("1");
    cells.emplace_back();
    return cells;
  }

  std::vector<std::string> contrast(const Contrast& contrast) const {
    std::vector<std::string> cells = figures(*contrast.row);
    cells.push_back(difference_text(contrast, style_));
    cells.emplace_back(contrast.equal ? "met" : "missed");
    for (const auto& [column, metric] : shown_)
      if (!metric.ratio.empty())
        cells.push_back(
            ratio_text(ratio_of(*contrast.row, *contrast.reference, metric.name), style_));
    cells.push_back(contrast.verdict());
    return cells;
  }

 private:
  struct Shown {
    const Column* column;
    ComparedMetric metric;
  };

  std::vector<std::string> figures(const Row& row) const {
    std::vector<std::string> cells{row_name(row), row.board,
                                   kernel_goal(first_record(row, input_))};
    for (const Shown& shown : shown_)
      cells.push_back(figure_text(row, *shown.column, style_));
    return cells;
  }

  const ReportInput& input_;
  const FigureStyle& style_;
  std::vector<Shown> shown_;
};

std::string note_of(const std::vector<Contrast>& contrasts, double within) {
  const auto equal = std::ranges::count(contrasts, true, &Contrast::equal);
  const auto gains = std::ranges::count_if(contrasts, &Contrast::gains);
  return fmt::format(
      "Equal accuracy: the mean difference over the seeds is at most {:g} percentage points; met "
      "by {} of {} rows. Less flash and less time at equal accuracy: {} of {}. Ratios are of the "
      "row over its reference.",
      within, equal, contrasts.size(), gains, contrasts.size());
}

}  // namespace

std::string Contrast::verdict() const {
  if (gains()) return "smaller and faster at equal accuracy";
  std::vector<std::string_view> missing;
  if (!flash || *flash >= 1) missing.emplace_back("not smaller");
  if (!time || *time >= 1) missing.emplace_back("not faster");
  if (!equal) missing.emplace_back("accuracy not equal");
  return fmt::format("{}", fmt::join(missing, "; "));
}

std::vector<Contrast> find_contrasts(const ReportTable& table, const ReportInput& input) {
  std::vector<Contrast> contrasts;
  const Json* request = request_of(input);
  if (!request) return contrasts;
  const double within = request->at("within_pp");
  for (const Row& row : table.rows) {
    const Row* reference = reference_of(row, table, input);
    if (!reference) continue;
    Contrast contrast{&row,
                      reference,
                      accuracy_difference(row, *reference, input),
                      false,
                      ratio_of(row, *reference, "rom_bytes"),
                      ratio_of(row, *reference, "latency_us")};
    contrast.equal = contrast.accuracy && std::abs(contrast.accuracy->value) <= within;
    contrasts.push_back(contrast);
  }
  return contrasts;
}

std::optional<Grid> comparison_grid(const ReportInput& input, const FigureStyle& style) {
  const ReportTable table = printed_table(input, ColumnChoice::all);
  const std::vector<Contrast> contrasts = find_contrasts(table, input);
  if (contrasts.empty()) return std::nullopt;
  const double within = request_of(input)->at("within_pp");
  const ComparisonRows rows(table, input, style);
  Grid grid;
  grid.columns = rows.columns(within);
  for (const Row& row : table.rows) {
    if (std::ranges::count(contrasts, &row, &Contrast::reference) == 0) continue;
    grid.rows.push_back(rows.reference(row));
    for (const Contrast& contrast : contrasts)
      if (contrast.reference == &row) grid.rows.push_back(rows.contrast(contrast));
  }
  grid.note = note_of(contrasts, within);
  return grid;
}

std::string comparison_title(const ReportInput& input) {
  const Json* request = request_of(input);
  return request ? "Compared with " + request->value("to", "") : "";
}

}  // namespace assay
