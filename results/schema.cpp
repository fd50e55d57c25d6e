#include "results/schema.hpp"

#include <fmt/format.h>

#include "results/database.hpp"

namespace assay {
namespace {

bool has_table(soci::session& session, const std::string& name) {
  int count = 0;
  session << "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = :name",
      soci::use(name), soci::into(count);
  return count > 0;
}

/// Version of the file: 0 when it is new and empty. Errors: bad_input for a foreign database.
/// Another process may be making the store: its tables and their version appear in one commit, so
/// the version is looked for only after some table was seen.
Result<int> stored_version(soci::session& session, const std::filesystem::path& path) {
  int tables = 0;
  session << "SELECT count(*) FROM sqlite_master", soci::into(tables);
  if (tables == 0) return 0;
  if (has_table(session, "schema_version")) {
    int version = 0;
    session << "SELECT max(version) FROM schema_version", soci::into(version);
    return version;
  }
  return fail(ErrorKind::bad_input, fmt::format("{} is a database of another program, not an assay "
                                                "store; name another file with --store",
                                                path.string()));
}

Result<int> checked_version(soci::session& session, int newest, const std::filesystem::path& path) {
  ASSAY_TRY(const int version, stored_version(session, path));
  if (version <= newest) return version;
  return fail(ErrorKind::bad_input,
              fmt::format("the results store {} was written by a newer assay (schema {}, this one "
                          "knows {}); use that version, or name another file with --store",
                          path.string(), version, newest));
}

}  // namespace

const std::vector<Migration>& migrations() {
  static const std::vector<Migration> steps{
      {"records and their metrics",
       {"CREATE TABLE records ("
        " id INTEGER PRIMARY KEY,"
        " measurement_key TEXT NOT NULL UNIQUE,"
        " cell_id TEXT NOT NULL,"
        " config_id TEXT NOT NULL,"
        " group_id TEXT NOT NULL,"
        " matrix TEXT NOT NULL,"
        " label TEXT NOT NULL,"
        " board_type TEXT NOT NULL,"
        " part TEXT NOT NULL,"
        " board TEXT NOT NULL,"
        " virtual_board INTEGER NOT NULL,"
        " verdict TEXT NOT NULL,"
        " verdict_detail TEXT NOT NULL,"
        " config TEXT NOT NULL,"
        " build TEXT NOT NULL,"
        " environment TEXT NOT NULL,"
        " command TEXT NOT NULL,"
        " recorded_at TEXT NOT NULL)",
        // An unknown figure has no row. The value column has no declared type: with REAL affinity
        // SQLite would keep whole numbers as integers and lose the sign of -0.0.
        "CREATE TABLE metrics ("
        " record_id INTEGER NOT NULL REFERENCES records (id) ON DELETE CASCADE,"
        " name TEXT NOT NULL,"
        " value NOT NULL,"
        " unit TEXT NOT NULL,"
        " provenance TEXT NOT NULL,"
        " samples TEXT,"
        " PRIMARY KEY (record_id, name)) WITHOUT ROWID"}},
      {"questions by matrix and by cell stay quick in a store of many nights",
       {"CREATE INDEX records_by_matrix ON records (matrix, recorded_at)",
        "CREATE INDEX records_by_cell ON records (cell_id)"}},
      {"a record belongs to every matrix that has its cell, whichever measured it",
       // Without a reference: a record that gives way to a better one of its key stays a member.
       {"CREATE TABLE members ("
        " matrix TEXT NOT NULL,"
        " measurement_key TEXT NOT NULL,"
        " PRIMARY KEY (matrix, measurement_key)) WITHOUT ROWID",
        "INSERT INTO members SELECT matrix, measurement_key FROM records",
        "DROP INDEX records_by_matrix",
        "CREATE TABLE matrices ("
        " name TEXT NOT NULL PRIMARY KEY,"
        " context TEXT NOT NULL) WITHOUT ROWID"}},
  };
  return steps;
}

Status migrate(soci::session& session, std::span<const Migration> steps,
               const std::filesystem::path& path) {
  const int newest = static_cast<int>(steps.size());
  ASSAY_TRY(int version, checked_version(session, newest, path));
  if (version == newest) return {};
  WriteTransaction transaction(session);
  // Another process may have been faster between the look and the lock.
  ASSAY_TRY(version, checked_version(session, newest, path));
  session << "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)";
  for (const auto& step : steps.subspan(static_cast<std::size_t>(version)))
    for (const char* statement : step.statements)
      session << statement;
  session << "DELETE FROM schema_version";
  session << "INSERT INTO schema_version VALUES (:version)", soci::use(newest);
  transaction.commit();
  return {};
}

}  // namespace assay
