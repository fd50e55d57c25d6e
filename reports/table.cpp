#include "reports/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <set>
#include <tuple>

#include "harness/core/cycle_claim.hpp"
#include "reports/grouping.hpp"
#include "reports/number.hpp"
#include "reports/selection.hpp"
#include "reports/statistics.hpp"

namespace assay {
namespace {

using Records = std::vector<Record>;

bool always(const Records&) {
  return true;
}

bool any_on_host(const Records& records) {
  return std::ranges::count(records, host_target, &Record::board_type) > 0;
}

bool any_with(const Records& records, const char* group) {
  return std::ranges::any_of(records, [&](const Record& record) {
    return record.config.is_object() && record.config.contains(group);
  });
}

bool any_pruned(const Records& records) {
  return any_with(records, "prune");
}

bool any_clustered(const Records& records) {
  return any_with(records, "cluster");
}

/// Coding pays where weights are alike.
bool any_codable(const Records& records) {
  return any_pruned(records) || any_clustered(records);
}

/// A metric of a printed table, where the records say that it tells something.
struct PrintedMetric {
  std::string_view name;
  bool (*tells)(const Records& records);
};

constexpr std::array printed_metrics{PrintedMetric{"accuracy_top1", always},
                                     PrintedMetric{"accuracy_top1_float", always},
                                     PrintedMetric{"error_mean", always},
                                     PrintedMetric{"error_mean_float", always},
                                     PrintedMetric{"samples_confirmed", always},
                                     PrintedMetric{"rom_bytes", always},
                                     PrintedMetric{"ram_bytes", always},
                                     PrintedMetric{"ram_model_bytes", always},
                                     PrintedMetric{"macc", always},
                                     PrintedMetric{"latency_us", always},
                                     PrintedMetric{"energy_uj", always},
                                     PrintedMetric{"weight_bytes", any_on_host},
                                     PrintedMetric{"model_entropy_bytes", any_codable},
                                     PrintedMetric{"parameters", any_on_host},
                                     PrintedMetric{"zeros_pct", any_pruned},
                                     PrintedMetric{"clusters", any_clustered},
                                     PrintedMetric{"compression_ratio", always}};

bool wanted(std::string_view name, const Records& records, ColumnChoice choice) {
  const auto found = std::ranges::find(printed_metrics, name, &PrintedMetric::name);
  const bool printed = found != printed_metrics.end() && found->tells(records);
  return printed || choice == ColumnChoice::all ||
         (choice == ColumnChoice::page && name == "instructions");
}

bool seeds_differ(const std::vector<Record>& records, const Members& members) {
  std::set<std::string> configs;
  for (const auto index : members)
    configs.insert(records[index].config_id);
  return configs.size() == members.size();
}

/// fail says most about the model, infra nothing.
int severity(Verdict verdict) {
  return verdict == Verdict::fail ? 2 : verdict == Verdict::infra ? 1 : 0;
}

std::optional<Figure> combine(const std::vector<const Metric*>& metrics) {
  if (metrics.empty()) return std::nullopt;
  Figure figure{metrics.front()->value, std::nullopt, metrics.front()->provenance};
  std::vector<double> values;
  for (const auto* metric : metrics) {
    if (metric->provenance != figure.provenance) return std::nullopt;
    values.push_back(metric->value);
  }
  const bool spread = std::ranges::any_of(values, [&](double v) { return v != values.front(); });
  if (spread) {
    figure.value = mean(values);
    figure.half_width = confidence_half_width(values);
  }
  return figure;
}

Row make_row(const std::vector<Record>& records, const Members& members) {
  const Record& first = records[members.front()];
  Row row;
  row.label = members.size() > 1 ? label_without_seed(first.label) : first.label;
  row.board = first.board;
  row.board_type = first.board_type;
  row.part = first.part;
  row.virtual_board = first.virtual_board;
  row.records = members;
  Members passed;
  for (const auto index : members) {
    const Record& record = records[index];
    if (record.verdict == Verdict::pass) passed.push_back(index);
    if (severity(record.verdict) > severity(row.verdict)) {
      row.verdict = record.verdict;
      row.verdict_detail = record.verdict_detail;
    }
  }
  // A single record shows what is known about it, even when it failed; a mean counts passes only.
  const Members& shown = passed.empty() ? members : passed;
  row.seeds = passed.size();
  std::map<std::string, std::vector<const Metric*>> metrics;
  for (const auto index : members.size() > 1 ? shown : members)
    for (const auto& [name, metric] : records[index].metrics)
      metrics[name].push_back(&metric);
  for (const auto& [name, values] : metrics)
    if (const auto figure = combine(values)) row.figures[name] = *figure;
  return row;
}

/// Every record of a row that knows its clock has the same.
std::optional<Hertz> clock_of(const Row& row, const std::vector<Record>& records) {
  for (const auto index : row.records)
    if (const auto clock = core_clock(records[index])) return clock;
  return std::nullopt;
}

std::string clock_text(const Row& row, const std::vector<Record>& records) {
  const auto clock = clock_of(row, records);
  return clock ? fmt::format("{:g} MHz", static_cast<double>(clock->count()) / 1e6) : "";
}

std::string goal_text(const Row& row, const std::vector<Record>& records) {
  const std::string goal = kernel_goal(records[row.records.front()]);
  return goal.empty() ? "" : "for " + goal;
}

/// Rows that would read alike, but differ in what `text_of` tells, say it in `member`.
void tell_apart(std::vector<Row>& rows, const std::vector<Record>& records,
                std::string (*text_of)(const Row&, const std::vector<Record>&),
                std::string Row::*member) {
  using Name = std::tuple<std::string, std::string, bool>;
  const auto name_of = [](const Row& row) {
    return Name{label_without_seed(row.label), row.board, row.virtual_board};
  };
  std::map<Name, std::set<std::string>> texts;
  for (const auto& row : rows)
    if (const auto text = text_of(row, records); !text.empty()) texts[name_of(row)].insert(text);
  for (auto& row : rows)
    if (texts[name_of(row)].size() > 1) row.*member = text_of(row, records);
}

std::string unit_of(const std::vector<Record>& records, const std::string& name) {
  for (const auto& record : records)
    if (const auto found = record.metrics.find(name); found != record.metrics.end())
      return found->second.unit;
  return "";
}

/// Bytes that the ratios were taken against, where all records tell the same: a ratio times the
/// bytes it was taken of.
std::optional<double> reference_bytes(const std::vector<Record>& records) {
  std::optional<double> shared;
  for (const auto& record : records) {
    const auto ratio = record.metrics.find("compression_ratio");
    if (ratio == record.metrics.end()) continue;
    const auto bytes = record.metrics.find("model_bytes");
    if (bytes == record.metrics.end()) return std::nullopt;
    const double reference = std::round(ratio->second.value * bytes->second.value);
    if (shared.value_or(reference) != reference) return std::nullopt;
    shared = reference;
  }
  return shared;
}

std::string meaning_of(const MetricKind& kind, const std::vector<Record>& records) {
  std::string meaning(kind.meaning);
  if (kind.name != "compression_ratio") return meaning;
  if (const auto bytes = reference_bytes(records))
    meaning += fmt::format("; the whole network's file has {} B", format_number(*bytes, 0, ","));
  return meaning;
}

Column make_column(const ReportTable& table, const MetricKind& kind, std::string meaning) {
  Column column{std::string(kind.name),
                std::string(kind.title),
                std::move(meaning),
                "",
                1,
                kind.decimals,
                std::nullopt};
  double smallest = std::numeric_limits<double>::infinity();
  std::set<Provenance> provenances;
  for (const auto& row : table.rows)
    if (const auto found = row.figures.find(column.name); found != row.figures.end()) {
      smallest = std::min(smallest, found->second.value);
      provenances.insert(found->second.provenance);
    }
  const DisplayUnit unit = display_unit(kind.unit, kind.decimals, smallest);
  column.unit = unit.text;
  column.divisor = unit.divisor;
  column.decimals = unit.decimals;
  if (provenances.size() == 1) column.provenance = *provenances.begin();
  return column;
}

/// The metrics that occur, known ones in the order of metric_kinds(), then any others by name.
std::vector<Column> make_columns(const ReportTable& table, const std::vector<Record>& records,
                                 ColumnChoice choice) {
  std::set<std::string> present;
  for (const auto& row : table.rows)
    for (const auto& [name, figure] : row.figures)
      present.insert(name);
  std::erase_if(present, [&](const auto& name) { return !wanted(name, records, choice); });
  std::vector<Column> columns;
  for (const auto& kind : metric_kinds())
    if (present.erase(std::string(kind.name)) > 0)
      columns.push_back(make_column(table, kind, meaning_of(kind, records)));
  for (const auto& name : present) {
    const std::string unit = unit_of(records, name);
    columns.push_back(make_column(table, MetricKind{name, unit, name, "", true, 3}, ""));
  }
  return columns;
}

}  // namespace

ReportTable build_table(const std::vector<Record>& records, ColumnChoice choice) {
  ReportTable table;
  for (const auto& members : group_records(records)) {
    if (members.size() == 1 || seeds_differ(records, members)) {
      table.rows.push_back(make_row(records, members));
      table.grouped = table.grouped || members.size() > 1;
    } else {
      for (const auto index : members)
        table.rows.push_back(make_row(records, {index}));
    }
  }
  tell_apart(table.rows, records, clock_text, &Row::clock);
  tell_apart(table.rows, records, goal_text, &Row::goal);
  table.columns = make_columns(table, records, choice);
  std::set<Provenance> provenances;
  for (const auto& row : table.rows)
    for (const auto& column : table.columns)
      if (const auto found = row.figures.find(column.name); found != row.figures.end())
        provenances.insert(found->second.provenance);
  table.provenances.assign(provenances.begin(), provenances.end());
  return table;
}

/// What the compression of a row's models noted about itself, each sentence once, and the rows that
/// it is about: "cut4_k16 and 3 more:".
std::vector<LegendEntry> notices_of(const ReportTable& table, const std::vector<Record>& records) {
  std::vector<std::string> sentences;
  std::map<std::string, std::vector<std::string>> rows;
  for (const Row& row : table.rows)
    for (const std::size_t index : row.records) {
      const Json& environment = records[index].environment;
      if (!environment.is_object()) continue;
      for (const Json& notice : environment.value("notices", Json::array())) {
        const auto sentence = notice.get<std::string>();
        auto& named = rows[sentence];
        if (named.empty()) sentences.push_back(sentence);
        if (std::ranges::count(named, row.label) == 0) named.push_back(row.label);
      }
    }
  std::vector<LegendEntry> entries;
  for (const std::string& sentence : sentences) {
    const auto& named = rows.at(sentence);
    const std::string others =
        named.size() == 1 ? "" : fmt::format(" and {} more", named.size() - 1);
    entries.push_back({fmt::format("{}{}:", named.front(), others), sentence});
  }
  return entries;
}

/// What the modelled figures of a table promise, each promise once: of cycles and latency by the
/// model of the chip, of energy by the current it was computed with.
std::vector<LegendEntry> promises_of(const ReportTable& table, const std::vector<Record>& records) {
  std::vector<LegendEntry> entries;
  const auto note = [&](std::string mark, std::string meaning) {
    const LegendEntry entry{std::move(mark), std::move(meaning)};
    if (std::ranges::count(entries, entry) == 0) entries.push_back(entry);
  };
  for (const Row& row : table.rows)
    for (const std::size_t index : row.records) {
      const Json& environment = records[index].environment;
      if (!environment.is_object() || !environment.contains("board")) continue;
      const Json& board = environment.at("board");
      const auto& part = records[index].part;
      if (const auto found = board.find("cycle_model"); found != board.end()) {
        note(fmt::format("~ cycles and latency of {}:", part),
             fmt::format("{} (model {}; {})", band_text(*found), found->value("version", ""),
                         found->value("evidence", "")));
      }
      if (const auto found = board.find("run_current"); found != board.end())
        note(fmt::format("~ energy of {}:", part),
             fmt::format("{:g} V x {:g} uA/MHz ({})", board.value("supply_mv", 0.0) / 1e3,
                         found->value("ua_per_mhz", 0.0), found->value("source", "")));
    }
  return entries;
}

ReportTable report_table(const ReportInput& input, ColumnChoice choice) {
  ReportTable table = build_table(input.records, choice);
  const SelectionNotes notes(input.context);
  for (auto& row : table.rows) {
    const auto& config = input.records[row.records.front()].config_id;
    row.mark = notes.mark(config);
    const LegendEntry note{row.mark, notes.meaning(config)};
    if (!row.mark.empty() && std::ranges::count(table.notes, note) == 0)
      table.notes.push_back(note);
  }
  std::ranges::move(promises_of(table, input.records), std::back_inserter(table.notes));
  std::ranges::move(notices_of(table, input.records), std::back_inserter(table.notes));
  return table;
}

std::string row_name(const Row& row) {
  return row.mark.empty() ? row.label : row.label + " " + row.mark;
}

bool all_on_host(const ReportTable& table) {
  return !table.rows.empty() && std::ranges::all_of(table.rows, &Row::on_host);
}

std::string board_name(const Row& row) {
  std::string name = row.board;
  for (const auto& part : {row.clock, row.goal})
    if (!part.empty()) name += " " + part;
  return name;
}

std::string figure_text(const Row& row, const Column& column, const FigureStyle& style,
                        std::string_view mark_prefix) {
  const auto found = row.figures.find(column.name);
  if (found == row.figures.end()) return std::string(style.absent);
  const Figure& figure = found->second;
  std::string text = format_number(figure.value / column.divisor, column.decimals, style.thousands);
  if (figure.half_width) {
    text += style.plus_minus;
    text += format_number(*figure.half_width / column.divisor, column.decimals, style.thousands);
  }
  if (!column.provenance) {
    text += mark_prefix;
    text += provenance_mark(figure.provenance);
  }
  return text;
}

std::string provenance_text(const ReportTable& table, Provenance provenance) {
  const bool silicon = std::ranges::any_of(
      table.rows, [](const Row& row) { return !row.on_host() && !row.virtual_board; });
  if (provenance == Provenance::measured && !silicon) return "measured on the host";
  return std::string(provenance_meaning(provenance));
}

std::vector<LegendEntry> legend(const ReportTable& table) {
  std::vector<LegendEntry> entries;
  for (const auto provenance : table.provenances)
    entries.push_back(
        {std::string(provenance_mark(provenance)), provenance_text(table, provenance)});
  if (table.grouped) entries.push_back({"±", "half of the 95 % interval of the mean over seeds"});
  return entries;
}

std::string legend_sentence(const ReportTable& table) {
  std::string sentence;
  for (const auto& [mark, meaning] : legend(table))
    sentence += fmt::format("{}{} = {}", sentence.empty() ? "" : "; ", mark, meaning);
  return sentence;
}

}  // namespace assay
