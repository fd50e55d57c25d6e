#include "results/record_rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <map>

namespace assay {
namespace {

using TextColumn = std::pair<const char*, std::string Record::*>;
constexpr std::array<TextColumn, 12> text_columns{{
    {"measurement_key", &Record::measurement_key},
    {"cell_id", &Record::cell_id},
    {"config_id", &Record::config_id},
    {"group_id", &Record::group_id},
    {"matrix", &Record::matrix},
    {"label", &Record::label},
    {"board_type", &Record::board_type},
    {"part", &Record::part},
    {"board", &Record::board},
    {"verdict_detail", &Record::verdict_detail},
    {"command", &Record::command},
    {"recorded_at", &Record::recorded_at},
}};

using JsonColumn = std::pair<const char*, Json Record::*>;
constexpr std::array<JsonColumn, 3> json_columns{{
    {"config", &Record::config},
    {"build", &Record::build},
    {"environment", &Record::environment},
}};

using FilterColumn = std::pair<const char*, std::optional<std::string> Filter::*>;
constexpr std::array<FilterColumn, 5> filter_columns{{
    {"label", &Filter::label},
    {"cell_id", &Filter::cell_id},
    {"group_id", &Filter::group_id},
    {"board_type", &Filter::board_type},
    {"board", &Filter::board},
}};

/// A record as text, column by column.
std::map<std::string, std::string> columns_of(const Record& record) {
  std::map<std::string, std::string> columns;
  for (const auto& [name, field] : text_columns)
    columns[name] = record.*field;
  for (const auto& [name, field] : json_columns)
    columns[name] = (record.*field).dump();
  columns["verdict"] = to_string(record.verdict);
  columns["virtual_board"] = record.virtual_board ? "1" : "0";
  return columns;
}

Result<Record> record_of(const std::map<std::string, std::string>& columns) {
  Record record;
  for (const auto& [name, field] : text_columns)
    record.*field = columns.at(name);
  for (const auto& [name, field] : json_columns)
    record.*field = Json::parse(columns.at(name));
  ASSAY_TRY(record.verdict, parse_verdict(columns.at("verdict")));
  record.virtual_board = columns.at("virtual_board") != "0";
  return record;
}

std::vector<std::string> column_names() {
  std::vector<std::string> names;
  for (const auto& [name, text] : columns_of(Record{}))
    names.push_back(name);
  return names;
}

/// "WHERE ..." of a question, with the values it binds in order.
struct Where {
  std::string clause;
  std::vector<std::string> values;

  /// `condition` has "{}" where the value goes.
  void require(std::string_view condition, std::string value) {
    clause += clause.empty() ? " WHERE " : " AND ";
    clause += fmt::format(fmt::runtime(condition), fmt::format(":v{}", values.size()));
    values.push_back(std::move(value));
  }

  void require_one_of(std::string_view column, std::span<const std::string> choices) {
    clause += fmt::format("{} {} IN (", clause.empty() ? " WHERE" : " AND", column);
    for (const auto& choice : choices) {
      clause += fmt::format("{}:v{}", &choice == &choices.front() ? "" : ", ", values.size());
      values.push_back(choice);
    }
    clause += ")";
  }

  void bind(soci::statement& statement) const {
    for (const auto& value : values)
      statement.exchange(soci::use(value));
  }
};

Where where_of(const Filter& filter, std::span<const std::string> keys) {
  Where where;
  if (!keys.empty()) where.require_one_of("measurement_key", keys);
  if (filter.matrix)
    where.require("measurement_key IN (SELECT measurement_key FROM members WHERE matrix = {})",
                  *filter.matrix);
  for (const auto& [name, field] : filter_columns)
    if (filter.*field) where.require(std::string(name) + " = {}", *(filter.*field));
  if (filter.verdict) where.require("verdict = {}", std::string(to_string(*filter.verdict)));
  if (filter.since) where.require("recorded_at >= {}", *filter.since);
  return where;
}

void insert_metric(soci::session& session, long long record_id, const std::string& name,
                   const Metric& metric) {
  const std::string provenance(to_string(metric.provenance));
  const std::string samples = Json(metric.samples).dump();
  soci::indicator samples_there = metric.samples.empty() ? soci::i_null : soci::i_ok;
  session << "INSERT INTO metrics (record_id, name, value, unit, provenance, samples)"
             " VALUES (:record_id, :name, :value, :unit, :provenance, :samples)",
      soci::use(record_id), soci::use(name), soci::use(metric.value), soci::use(metric.unit),
      soci::use(provenance), soci::use(samples, samples_there);
}

Status check_finite(const Record& record) {
  for (const auto& [name, metric] : record.metrics) {
    bool finite = std::isfinite(metric.value);
    for (const double sample : metric.samples)
      finite = finite && std::isfinite(sample);
    if (!finite)
      return fail(ErrorKind::bad_input,
                  fmt::format("the metric {} of {} is not a finite number; leave a figure out that "
                              "is not known",
                              name, record.label));
  }
  return {};
}

/// Reads the metrics of the selected records into them; `by_id` maps row ids to records.
Status select_metrics(soci::session& session, const Where& where,
                      const std::map<long long, Record*>& by_id) {
  long long id = 0;
  std::string name, unit, provenance, samples;
  double value = 0;
  soci::indicator samples_there = soci::i_null;
  soci::statement statement(session);
  where.bind(statement);
  statement.exchange(soci::into(id));
  statement.exchange(soci::into(name));
  statement.exchange(soci::into(value));
  statement.exchange(soci::into(unit));
  statement.exchange(soci::into(provenance));
  statement.exchange(soci::into(samples, samples_there));
  statement.alloc();
  statement.prepare(
      "SELECT record_id, name, value, unit, provenance, samples FROM metrics WHERE record_id IN "
      "(SELECT id FROM records" +
      where.clause + ")");
  statement.define_and_bind();
  statement.execute();
  while (statement.fetch()) {
    const auto owner = by_id.find(id);
    if (owner == by_id.end()) continue;
    Metric metric{value, unit, Provenance::computed, {}};
    ASSAY_TRY(metric.provenance, parse_provenance(provenance));
    if (samples_there == soci::i_ok)
      metric.samples = Json::parse(samples).get<std::vector<double>>();
    owner->second->metrics[name] = std::move(metric);
  }
  return {};
}

}  // namespace

std::optional<StoredVerdict> find_verdict(soci::session& session, const std::string& key) {
  StoredVerdict found;
  session << "SELECT id, verdict FROM records WHERE measurement_key = :key", soci::use(key),
      soci::into(found.id), soci::into(found.verdict);
  if (!session.got_data()) return std::nullopt;
  return found;
}

void delete_row(soci::session& session, long long id) {
  session << "DELETE FROM records WHERE id = :id", soci::use(id);
}

Status insert_rows(soci::session& session, const Record& record) {
  ASSAY_CHECK(check_finite(record));
  const auto columns = columns_of(record);
  const auto names = column_names();
  soci::statement statement(session);
  for (const auto& [name, text] : columns)
    statement.exchange(soci::use(text, name));
  statement.alloc();
  statement.prepare(fmt::format("INSERT INTO records ({}) VALUES (:{})", fmt::join(names, ", "),
                                fmt::join(names, ", :")));
  statement.define_and_bind();
  statement.execute(true);
  long long id = 0;
  session << "SELECT last_insert_rowid()", soci::into(id);
  for (const auto& [name, metric] : record.metrics)
    insert_metric(session, id, name, metric);
  return {};
}

Result<std::vector<Record>> select_records(soci::session& session, const Filter& filter,
                                           std::span<const std::string> keys) {
  const Where where = where_of(filter, keys);
  const auto names = column_names();
  std::map<std::string, std::string> columns;
  long long id = 0;
  soci::statement statement(session);
  where.bind(statement);
  statement.exchange(soci::into(id));
  for (const auto& name : names)
    statement.exchange(soci::into(columns[name]));
  statement.alloc();
  statement.prepare(fmt::format("SELECT id, {} FROM records{} ORDER BY id", fmt::join(names, ", "),
                                where.clause));
  statement.define_and_bind();
  statement.execute();
  std::vector<Record> records;
  std::vector<long long> ids;
  while (statement.fetch()) {
    ASSAY_TRY(Record record, record_of(columns));
    records.push_back(std::move(record));
    ids.push_back(id);
  }
  std::map<long long, Record*> by_id;
  for (std::size_t i = 0; i < ids.size(); ++i)
    by_id[ids[i]] = &records[i];
  ASSAY_CHECK(select_metrics(session, where, by_id));
  return records;
}

}  // namespace assay
