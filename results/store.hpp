// The results store: every record of every matrix and night, in one SQLite file.
//
// Thread-safe: a Store serializes its callers. Several processes may use one file at once; a writer
// waits for the others. The file is in rollback-journal mode, so it is a single file that also
// works on a network share, and a killed writer leaves all of a record or nothing of it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/core/record.hpp"

namespace assay {

/// Which records a query asks for. A field that is absent asks for nothing.
struct Filter {
  std::optional<std::string> matrix = {};  ///< has the record's cell, whichever matrix measured it
  std::optional<std::string> label = {};
  std::optional<std::string> cell_id = {};
  std::optional<std::string> group_id = {};
  std::optional<std::string> board_type = {};
  std::optional<std::string> board = {};
  std::optional<Verdict> verdict = {};
  std::optional<std::string> since =
      {};  ///< recorded at or after this UTC moment, or day: "2026-01-31"
};

/// What became of a record given to the store.
enum class InsertOutcome {
  added,
  existed,   ///< its key was there already; nothing changed
  replaced,  ///< the row of that key was an infra verdict, which says nothing about the model, and
             ///< gave way to this pass or fail; or a fail that was measured again
};

/// How many records a merge brought.
struct MergeCount {
  std::size_t added = 0;
  std::size_t existed = 0;
  std::size_t replaced = 0;
};

class Store {
 public:
  enum class Mode {
    create,      ///< a missing file (and its folder) is made
    must_exist,  ///< a missing file is an error: for commands that only look
  };

  /// Opens the file and brings an older schema up to date. Errors: bad_input when the file is
  /// missing (must_exist), is no SQLite database, belongs to another program or has a newer schema;
  /// infrastructure when it is damaged, cannot be created, or another process keeps it locked.
  static Result<Store> open(const std::filesystem::path& path, Mode mode = Mode::create);

  Store(Store&& other) noexcept;
  Store& operator=(Store&& other) noexcept;
  ~Store();

  /// Writes a record in one transaction, on disk when this returns, as a member of its matrix. A
  /// store holds one row per measurement_key: see InsertOutcome. Errors: bad_input for an empty
  /// key, a figure that is not finite or text that is not UTF-8 inside the JSON fields;
  /// infrastructure for a full disk, a read-only file or damage.
  ///
  /// `again`: a stored fail gives way too (a board that was repaired); a pass never does.
  Result<InsertOutcome> insert(const Record& record, bool again = false);

  /// The record of that key, or nothing. Errors: infrastructure; bad_input for a row that makes no
  /// sense.
  Result<std::optional<Record>> find(const std::string& measurement_key);

  /// The records of those keys, by key; a key without a record is not in it. A few queries however
  /// many keys there are. Errors: as for find.
  Result<std::map<std::string, Record>> find_all(std::span<const std::string> measurement_keys);

  /// The records that match, in the order they were first written. Errors: as for find.
  Result<std::vector<Record>> query(const Filter& filter = {});

  /// Notes that the records of those keys belong to a matrix, beside the ones noted before, and
  /// what is known about its last run beyond them (see ReportInput::context). Writes nothing when
  /// all of that is noted already, so that a read-only store will do. Errors: as for insert.
  Status note_run(const std::string& matrix, std::span<const std::string> measurement_keys,
                  const Json& context);

  /// The context of the last run noted for a matrix; null when there is none. Errors: as for find.
  Result<Json> run_context(const std::string& matrix);

  /// Inserts every record of `other` with the matrices it belongs to, all or none. A run that both
  /// have noted keeps its context here. Errors: as for insert and query.
  Result<MergeCount> merge(Store& other);

  const std::filesystem::path& path() const;

 private:
  struct State;
  struct Runs;
  Result<Runs> runs();
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace assay
