// The table every format prints: a row per cell (or per group of seeds), a column per metric.
// Pure, thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/report.hpp"

namespace assay {

/// One figure of a row: a value, or the mean over seeds.
struct Figure {
  double value = 0;
  std::optional<double> half_width;  ///< of the 95 % interval; absent for one seed, or no spread
  Provenance provenance = Provenance::computed;
};

/// One metric as a column. Values are shown divided by `divisor`, with `unit` in the heading.
struct Column {
  std::string name;     ///< "rom_bytes"
  std::string title;    ///< "Flash"
  std::string meaning;  ///< one sentence, may be empty
  std::string unit;     ///< as shown: "ms"
  double divisor = 1;
  int decimals = 0;
  std::optional<Provenance> provenance;  ///< when every figure of the column has the same one
};

/// One line under a table: a mark and what it means.
struct LegendEntry {
  std::string mark;
  std::string meaning;

  bool operator==(const LegendEntry&) const = default;
};

struct Row {
  std::string label;
  std::string mark;  ///< "*" or "†" of a selected configuration; see ReportTable::notes
  std::string board;
  std::string board_type;
  std::string part;
  bool virtual_board = false;
  std::string clock;  ///< "84 MHz" when a row of the same name is at another clock; else empty
  std::string goal;   ///< "for flash" when the kernels of such a row are for something else
  Verdict verdict = Verdict::pass;        ///< the worst of its records: fail, then infra, then pass
  std::string verdict_detail;             ///< of the record that decided the verdict
  std::size_t seeds = 1;                  ///< passed records the figures are made of
  std::vector<std::size_t> records;       ///< indices into the records the table was built from
  std::map<std::string, Figure> figures;  ///< a metric nobody knows is not in it

  /// No board was needed: figures of the host alone.
  bool on_host() const { return board_type == host_target; }
};

struct ReportTable {
  std::vector<Column> columns;
  std::vector<Row> rows;
  bool grouped = false;                 ///< at least one row stands for several seeds
  std::vector<Provenance> provenances;  ///< every one that occurs, for the legend
  std::vector<LegendEntry> notes;       ///< what the marks of rows mean, and what was noted
};

/// Which metrics become columns, of those that any record has.
enum class ColumnChoice {
  printed,  ///< what fits on paper: accuracy, samples, flash, RAM, MACC, latency, energy, ratio; of
            ///< models on the host their weights, of pruned ones the zeros, of clustered ones the
            ///< clusters
  page,     ///< the same and what a screen has room for: instructions
  all,
};

/// Builds the table. Records that differ in the seed alone (see group_records) become one row: the
/// mean over the passed ones with its 95 % interval. A group in which a seed occurs twice stays
/// ungrouped.
ReportTable build_table(const std::vector<Record>& records, ColumnChoice choice);

/// The same for a whole report, whose context says which rows were selected.
ReportTable report_table(const ReportInput& input, ColumnChoice choice);

/// "cut4_a0.5_T4†": what a table calls the row.
std::string row_name(const Row& row);

/// Whether there are rows, and none of them stands for a board.
bool all_on_host(const ReportTable& table);

/// The board as a table names it: with its clock where that tells two rows apart.
std::string board_name(const Row& row);

/// How a format writes figures.
struct FigureStyle {
  std::string_view thousands;   ///< "," or a thin space
  std::string_view plus_minus;  ///< " ± "
  std::string_view absent;      ///< "–"
};

/// The text of a row's figure, with its provenance mark appended (after `mark_prefix`) when the
/// column mixes provenances.
std::string figure_text(const Row& row, const Column& column, const FigureStyle& style,
                        std::string_view mark_prefix = " ");

/// What a provenance means in this table: without silicon the one thing measured is the time of
/// trainings, on the host.
std::string provenance_text(const ReportTable& table, Provenance provenance);

/// Every provenance in the table, in the order of the enumeration, and the interval when grouped.
std::vector<LegendEntry> legend(const ReportTable& table);

/// The legend as one sentence: "~ = modelled (...); c = counted exactly".
std::string legend_sentence(const ReportTable& table);

}  // namespace assay
