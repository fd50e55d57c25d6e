#include "reports/grouping.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

namespace assay {
namespace {

/// A fact of a record that records averaged together must share.
struct Fact {
  Json Record::*field;
  const char* pointer;  ///< JSON pointer, RFC 6901
};

constexpr std::array shared_facts{
    Fact{&Record::build, "/compiler"},
    Fact{&Record::build, "/flags"},
    Fact{&Record::build, "/goal"},
    Fact{&Record::environment, "/board/supply_mv"},
    Fact{&Record::environment, "/board/cycle_model/version"},
    Fact{&Record::environment, "/host/arithmetic"},
};

const Json* find_fact(const Record& record, const Fact& fact) {
  const Json::json_pointer pointer(fact.pointer);
  const Json& object = record.*fact.field;
  return object.contains(pointer) ? &object.at(pointer) : nullptr;
}

/// What modelled cycles were multiplied by; null where none are modelled.
Json calibration_factor(const Record& record) {
  const Json::json_pointer model("/board/cycle_model");
  if (!record.environment.contains(model)) return {};
  return record.environment.at(model).value("calibration_factor", 1.0);
}

/// What the figures of a record depend on beside its configuration; null where it is not known.
std::vector<Json> conditions_of(const Record& record) {
  std::vector<Json> conditions;
  for (const auto& fact : shared_facts) {
    const Json* found = find_fact(record, fact);
    conditions.push_back(found ? *found : Json());
  }
  const auto clock = core_clock(record);
  conditions.push_back(clock ? Json(clock->count()) : Json());
  conditions.push_back(calibration_factor(record));
  // Of a record with wrong logits only the right ones are counted, not how many were streamed.
  const auto samples = record.metrics.find("samples_confirmed");
  const bool known = record.verdict == Verdict::pass && samples != record.metrics.end();
  conditions.push_back(known ? Json(samples->second.value) : Json());
  return conditions;
}

/// Records that may share a row, if their conditions allow it.
using Kin = std::tuple<std::string, std::string, std::string, std::string, bool>;

Kin kin_of(const Record& record) {
  return {record.group_id, record.board_type, record.board, label_without_seed(record.label),
          record.virtual_board};
}

struct Group {
  std::vector<Json> conditions;
  Members members;

  bool may_hold(const std::vector<Json>& others) const {
    return std::ranges::equal(conditions, others, [](const Json& a, const Json& b) {
      return a == b || a.is_null() || b.is_null();
    });
  }

  /// What the group did not know so far it learns, so that no third record contradicts the second.
  void add(std::size_t record, const std::vector<Json>& others) {
    members.push_back(record);
    for (std::size_t i = 0; i < conditions.size(); ++i)
      if (conditions[i].is_null()) conditions[i] = others[i];
  }
};

/// The group a record belongs to. `exactly`: one with the same conditions; else the only one whose
/// conditions do not contradict it.
Group* find_group(std::vector<Group>& groups, const std::vector<Json>& conditions, bool exactly) {
  Group* candidate = nullptr;
  for (auto& group : groups) {
    if (group.conditions == conditions) return &group;
    if (exactly || !group.may_hold(conditions)) continue;
    if (candidate) return nullptr;
    candidate = &group;
  }
  return candidate;
}

}  // namespace

std::optional<Hertz> core_clock(const Record& record) {
  // What the board said it runs at comes before what it was built for.
  for (const auto& fact :
       {Fact{&Record::environment, "/board/core_clock_hz"}, Fact{&Record::build, "/clock_hz"}})
    if (const Json* found = find_fact(record, fact); found && found->is_number())
      return Hertz(found->get<std::uint64_t>());
  return std::nullopt;
}

std::string kernel_goal(const Record& record) {
  const Json::json_pointer place("/goal/optimize");
  return record.build.contains(place) ? record.build.at(place).get<std::string>() : "";
}

std::string label_without_seed(const std::string& label) {
  const auto mark = label.rfind("_s");
  if (mark == std::string::npos || mark + 2 == label.size()) return label;
  const bool digits = std::all_of(label.begin() + static_cast<std::ptrdiff_t>(mark) + 2,
                                  label.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits ? label.substr(0, mark) : label;
}

std::vector<Record> newest_of_each_cell(std::vector<Record> records) {
  using Place = std::tuple<std::string, std::string, bool>;
  const auto place_of = [](const Record& r) { return Place{r.cell_id, r.board, r.virtual_board}; };
  std::map<Place, std::size_t> newest;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto [found, fresh] = newest.try_emplace(place_of(records[i]), i);
    if (records[i].recorded_at >= records[found->second].recorded_at) found->second = i;
  }
  std::vector<Record> kept;
  for (std::size_t i = 0; i < records.size(); ++i)
    if (newest.at(place_of(records[i])) == i) kept.push_back(std::move(records[i]));
  return kept;
}

std::vector<Record> without_superseded_hosts(std::vector<Record> records) {
  std::set<std::string> on_boards;
  for (const auto& record : records)
    if (record.board_type != host_target) on_boards.insert(record.config_id);
  std::erase_if(records, [&](const Record& record) {
    return record.board_type == host_target && on_boards.contains(record.config_id);
  });
  return records;
}

std::vector<Members> group_records(const std::vector<Record>& records) {
  std::map<Kin, std::vector<Group>> families;
  // The passed records make the rows; one that did not pass looks for its row among them.
  for (const bool passed : {true, false})
    for (std::size_t i = 0; i < records.size(); ++i) {
      if ((records[i].verdict == Verdict::pass) != passed) continue;
      auto& groups = families[kin_of(records[i])];
      const auto conditions = conditions_of(records[i]);
      Group* group = find_group(groups, conditions, passed);
      if (!group) group = &groups.emplace_back(Group{conditions, {}});
      group->add(i, conditions);
    }
  std::vector<Members> rows;
  for (auto& [kin, groups] : families)
    for (auto& group : groups) {
      std::ranges::sort(group.members);
      rows.push_back(std::move(group.members));
    }
  std::ranges::sort(rows, {}, [](const Members& members) { return members.front(); });
  return rows;
}

}  // namespace assay
