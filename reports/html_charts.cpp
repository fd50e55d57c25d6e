#include "reports/html_charts.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace assay {
namespace {

struct ChartKind {
  const char* id;
  const char* title;
  const char* x;  ///< metric
};

constexpr const char* accuracy = "accuracy_top1";
constexpr std::array chart_kinds{
    ChartKind{"accuracy-flash", "Accuracy against flash", "rom_bytes"},
    ChartKind{"accuracy-latency", "Accuracy against latency", "latency_us"},
    ChartKind{"accuracy-weights", "Accuracy against weights", "weight_bytes"},
    ChartKind{"accuracy-zeros", "Accuracy against zeros", "zeros_pct"},
    ChartKind{"accuracy-clusters", "Accuracy against clusters", "clusters"},
};

const Column* find_column(const ReportTable& table, std::string_view name) {
  const auto found = std::ranges::find(table.columns, name, &Column::name);
  return found == table.columns.end() ? nullptr : &*found;
}

Json point_of(const Row& row, const Column& x, const Column& y) {
  const Figure& across = row.figures.at(x.name);
  const Figure& up = row.figures.at(y.name);
  Json point{{"x", across.value / x.divisor}, {"y", up.value / y.divisor}, {"label", row.label}};
  if (up.half_width) point["half"] = *up.half_width / y.divisor;
  return point;
}

Json axis_of(const Column& column, bool logarithmic) {
  const std::string unit = column.unit.empty() ? "" : " (" + column.unit + ")";
  return {{"title", column.title + unit},
          {"log", logarithmic},
          {"share", column.unit == "%"},
          {"decimals", column.decimals}};
}

/// Points of one board type are comparable where its clock is the same.
std::string series_name(const Row& row) {
  return row.clock.empty() ? row.board_type : row.board_type + " " + row.clock;
}

/// Null when fewer than two passed rows have both figures, or all stand above one another.
Json make_chart(const ReportTable& table, const ChartKind& kind) {
  const Column* x = find_column(table, kind.x);
  const Column* y = find_column(table, accuracy);
  if (!x || !y) return nullptr;
  std::vector<std::string> names;
  std::map<std::string, Json> points;
  double smallest = std::numeric_limits<double>::infinity();
  double largest = 0;
  std::size_t count = 0;
  for (const auto& row : table.rows) {
    const bool known = row.figures.contains(x->name) && row.figures.contains(y->name);
    if (!known || row.verdict != Verdict::pass) continue;
    const std::string name = series_name(row);
    if (!points.contains(name)) names.push_back(name);
    points[name].push_back(point_of(row, *x, *y));
    smallest = std::min(smallest, row.figures.at(x->name).value);
    largest = std::max(largest, row.figures.at(x->name).value);
    ++count;
  }
  if (count < 2 || smallest == largest) return nullptr;
  Json series = Json::array();
  for (const auto& name : names)
    series.push_back({{"name", name}, {"points", points[name]}});
  // More than a decade of spread would press the small models into one corner.
  const bool logarithmic = smallest > 0 && largest / smallest > 10;
  return {{"id", kind.id},
          {"title", kind.title},
          {"x", axis_of(*x, logarithmic)},
          {"y", axis_of(*y, false)},
          {"series", series}};
}

}  // namespace

Json chart_data(const ReportTable& table, std::optional<double> teacher_accuracy) {
  Json charts = Json::array();
  for (const auto& kind : chart_kinds) {
    Json chart = make_chart(table, kind);
    if (chart.is_null()) continue;
    if (teacher_accuracy) chart["teacher"] = *teacher_accuracy;
    charts.push_back(std::move(chart));
  }
  return charts;
}

}  // namespace assay
