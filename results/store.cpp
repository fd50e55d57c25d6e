#include "results/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <system_error>

#include "results/database.hpp"
#include "results/member_rows.hpp"
#include "results/record_rows.hpp"
#include "results/schema.hpp"

namespace assay {

/// Every matrix a store knows.
struct Store::Runs {
  std::vector<Membership> members;
  std::vector<MatrixContext> contexts;
};

struct Store::State {
  std::filesystem::path path;
  std::unique_ptr<soci::session> session;
  std::mutex mutex;
};

namespace {

constexpr std::string_view reading = "read from";
constexpr std::string_view writing = "write to";

Status prepare_file(const std::filesystem::path& path, Store::Mode mode) {
  std::error_code problem;
  if (std::filesystem::is_directory(path, problem))
    return fail(ErrorKind::bad_input,
                fmt::format("cannot open the results store {}: it is a folder", path.string()));
  if (mode == Store::Mode::must_exist && !std::filesystem::exists(path, problem))
    return fail(ErrorKind::bad_input, fmt::format("there is no results store {}; run a matrix "
                                                  "first, or name another file with --store",
                                                  path.string()));
  if (!path.has_parent_path()) return {};
  std::filesystem::create_directories(path.parent_path(), problem);
  if (problem)
    return fail(ErrorKind::infrastructure,
                fmt::format("cannot create the folder {}: {}", path.parent_path().string(),
                            problem.message()));
  return {};
}

/// One record inside a transaction of the caller's.
Result<InsertOutcome> insert_into(soci::session& session, const Record& record, bool again) {
  if (record.measurement_key.empty())
    return fail(ErrorKind::bad_input,
                fmt::format("the record of {} has no measurement key", record.label));
  insert_member(session, {record.matrix, record.measurement_key});
  const auto stored = find_verdict(session, record.measurement_key);
  const bool weak = stored && (stored->verdict == to_string(Verdict::infra) ||
                               (again && stored->verdict == to_string(Verdict::fail)));
  const bool gives_way = weak && record.verdict != Verdict::infra;
  if (stored && !gives_way) return InsertOutcome::existed;
  if (stored) delete_row(session, stored->id);
  ASSAY_CHECK(insert_rows(session, record));
  return stored ? InsertOutcome::replaced : InsertOutcome::added;
}

}  // namespace

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::Store(Store&& other) noexcept = default;
Store& Store::operator=(Store&& other) noexcept = default;
Store::~Store() = default;

const std::filesystem::path& Store::path() const {
  return state_->path;
}

Result<Store> Store::open(const std::filesystem::path& path, Mode mode) {
  ASSAY_CHECK(prepare_file(path, mode));
  auto state = std::make_unique<State>();
  state->path = path;
  ASSAY_TRY(state->session, connect(path));
  ASSAY_CHECK(guarded(path, "open", [&] { return migrate(*state->session, migrations(), path); }));
  return Store(std::move(state));
}

Result<InsertOutcome> Store::insert(const Record& record, bool again) {
  const std::lock_guard lock(state_->mutex);
  return guarded(state_->path, writing, [&]() -> Result<InsertOutcome> {
    WriteTransaction transaction(*state_->session);
    ASSAY_TRY(const InsertOutcome outcome, insert_into(*state_->session, record, again));
    transaction.commit();
    return outcome;
  });
}

Result<std::optional<Record>> Store::find(const std::string& measurement_key) {
  const std::lock_guard lock(state_->mutex);
  return guarded(state_->path, reading, [&]() -> Result<std::optional<Record>> {
    ASSAY_TRY(auto records, select_records(*state_->session, {}, {&measurement_key, 1}));
    if (records.empty()) return std::nullopt;
    return std::move(records.front());
  });
}

Result<std::map<std::string, Record>> Store::find_all(
    std::span<const std::string> measurement_keys) {
  constexpr std::size_t keys_per_query = 1000;
  using Found = std::map<std::string, Record>;
  const std::lock_guard lock(state_->mutex);
  return guarded(state_->path, reading, [&]() -> Result<Found> {
    Found found;
    for (auto keys = measurement_keys; !keys.empty();) {
      const auto some = keys.first(std::min(keys.size(), keys_per_query));
      keys = keys.subspan(some.size());
      ASSAY_TRY(auto records, select_records(*state_->session, {}, some));
      for (auto& record : records)
        found[record.measurement_key] = std::move(record);
    }
    return found;
  });
}

Result<std::vector<Record>> Store::query(const Filter& filter) {
  const std::lock_guard lock(state_->mutex);
  return guarded(state_->path, reading, [&] { return select_records(*state_->session, filter); });
}

Status Store::note_run(const std::string& matrix, std::span<const std::string> measurement_keys,
                       const Json& context) {
  const std::lock_guard lock(state_->mutex);
  return guarded(state_->path, writing, [&]() -> Status {
    auto& session = *state_->session;
    std::set<std::string> missing(measurement_keys.begin(), measurement_keys.end());
    for (const auto& member : select_members(session, &matrix))
      missing.erase(member.measurement_key);
    const auto noted = select_contexts(session, &matrix);
    if (missing.empty() && !noted.empty() && noted.front().context == context) return {};
    WriteTransaction transaction(session);
    for (const auto& key : missing)
      insert_member(session, {matrix, key});
    insert_context(session, {matrix, context}, true);
    transaction.commit();
    return {};
  });
}

Result<Json> Store::run_context(const std::string& matrix) {
  const std::lock_guard lock(state_->mutex);
  return guarded(state_->path, reading, [&]() -> Result<Json> {
    const auto noted = select_contexts(*state_->session, &matrix);
    return noted.empty() ? Json() : noted.front().context;
  });
}

Result<Store::Runs> Store::runs() {
  const std::lock_guard lock(state_->mutex);
  return guarded(state_->path, reading, [&]() -> Result<Runs> {
    return Runs{select_members(*state_->session), select_contexts(*state_->session)};
  });
}

Result<MergeCount> Store::merge(Store& other) {
  ASSAY_TRY(const auto records, other.query());
  ASSAY_TRY(const auto runs, other.runs());
  const std::lock_guard lock(state_->mutex);
  return guarded(state_->path, writing, [&]() -> Result<MergeCount> {
    WriteTransaction transaction(*state_->session);
    MergeCount count;
    for (const auto& record : records) {
      ASSAY_TRY(const InsertOutcome outcome, insert_into(*state_->session, record, false));
      if (outcome == InsertOutcome::added) ++count.added;
      if (outcome == InsertOutcome::existed) ++count.existed;
      if (outcome == InsertOutcome::replaced) ++count.replaced;
    }
    for (const auto& member : runs.members)
      insert_member(*state_->session, member);
    for (const auto& context : runs.contexts)
      insert_context(*state_->session, context, false);
    transaction.commit();
    return count;
  });
}

}  // namespace assay
