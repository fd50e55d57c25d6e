#include "harness/plan/expansion.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "harness/plan/field.hpp"

namespace assay {
namespace {

bool matches(const FieldValues& point, const FieldValues& pattern) {
  return std::ranges::all_of(pattern, [&](const auto& entry) {
    const auto found = point.find(entry.first);
    const Json* value = found == point.end() ? &find_field(entry.first)->fallback : &found->second;
    return *value == entry.second;
  });
}

/// A configuration that is derived from one of the sweep; nothing where it has none.
struct Baseline {
  std::string_view name;
  std::optional<Config> (*of)(const Config& config);
};

constexpr std::array baselines{
    Baseline{"plain", [](const Config& config) { return std::optional(config.plain()); }},
    Baseline{"uncompressed",
             [](const Config& config) { return std::optional(config.uncompressed()); }},
    Baseline{"teacher",
             [](const Config& config) {
               return config.distilled() ? std::optional(config.teacher()) : std::nullopt;
             }},
    Baseline{"compressed-teacher", [](const Config& config) {
               return config.distilled() ? std::optional(config.compressed_teacher())
                                         : std::nullopt;
             }}};

/// Keeps each configuration once, in the order of first appearance.
class UniqueConfigs {
 public:
  explicit UniqueConfigs(std::vector<Config>& configs) : configs_(configs) {}

  /// Where the configuration is, and whether it is new.
  std::pair<std::size_t, bool> add(Config config) {
    const auto [place, fresh] = places_.emplace(config.config_id(), configs_.size());
    if (fresh) configs_.push_back(std::move(config));
    return {place->second, fresh};
  }

 private:
  std::vector<Config>& configs_;
  std::map<std::string, std::size_t> places_;
};

/// Sorts configurations into the groups that a selection chooses from.
class Grouping {
 public:
  explicit Grouping(const std::optional<Selection>& selection) : selection_(selection) {
    if (!selection) return;
    over_ = {selection->over.begin(), selection->over.end()};
    seed_chosen_ = over_.contains("seed");
    over_.insert("seed");
  }

  /// A point of the sweep as it was given, and the configuration it became.
  void add(FieldValues point, std::size_t index, const Config& config) {
    if (!selection_) return;
    // Not the configuration's own fields: where an axis turns distillation off, others are gone
    // too.
    std::erase_if(point, [&](const auto& entry) { return over_.contains(entry.first); });
    const auto [group, fresh] = groups_.emplace(canonical_json(nest(point)), candidates_.size());
    if (fresh) candidates_.emplace_back();
    auto& candidates = candidates_[group->second];
    const auto id = seed_chosen_ ? config.config_id() : config.group_id();
    const auto found = std::ranges::find(candidates, id, &Candidate::id);
    Candidate& candidate =
        found == candidates.end() ? candidates.emplace_back(Candidate{id, {}}) : *found;
    if (std::ranges::count(candidate.configs, index) == 0) candidate.configs.push_back(index);
  }

  /// One that is not chosen but wanted.
  void add_baseline(std::size_t index) {
    if (selection_) candidates_.push_back({Candidate{"", {index}}});
  }

  /// Every group once: fields without effect can make several of one.
  std::vector<SelectionGroup> groups() const {
    std::set<std::vector<std::vector<std::size_t>>> seen;
    std::vector<SelectionGroup> groups;
    for (const auto& candidates : candidates_) {
      SelectionGroup group;
      for (const auto& candidate : candidates)
        group.candidates.push_back(candidate.configs);
      if (seen.insert(group.candidates).second) groups.push_back(std::move(group));
    }
    return groups;
  }

 private:
  struct Candidate {
    std::string id;
    std::vector<std::size_t> configs;
  };

  const std::optional<Selection>& selection_;
  std::set<std::string, std::less<>> over_;
  bool seed_chosen_ = false;
  std::map<std::string, std::size_t> groups_;  ///< key -> index into candidates_
  std::vector<std::vector<Candidate>> candidates_;
};

double count_points(const Matrix& matrix) {
  double points = static_cast<double>(std::max<std::size_t>(1, matrix.variants.size()));
  for (const auto& axis : matrix.sweep)
    points *= static_cast<double>(axis.values.size());
  return points;
}

FieldValues point_at(const Matrix& matrix, std::size_t index) {
  FieldValues point = matrix.base;
  for (auto axis = matrix.sweep.rbegin(); axis != matrix.sweep.rend(); ++axis) {
    point[axis->path] = axis->values[index % axis->values.size()];
    index /= axis->values.size();
  }
  if (!matrix.variants.empty())
    for (const auto& [path, value] : matrix.variants[index])
      point[path] = value;
  return point;
}

/// Which entries of exclude and which baselines had an effect, to tell those that had none.
class Effects {
 public:
  explicit Effects(const Matrix& matrix) : matrix_(matrix), dropped_(matrix.exclude.size()) {}

  /// Whether some entry drops the point. All that do count.
  bool excluded(const FieldValues& point) {
    bool any = false;
    for (std::size_t i = 0; i < matrix_.exclude.size(); ++i)
      if (matches(point, matrix_.exclude[i])) any = dropped_[i] = true;
    return any;
  }
  void added(std::string_view baseline) { added_.insert(baseline); }

  std::vector<std::string> notices(const std::vector<Config>& configs) const {
    std::vector<std::string> notices;
    for (std::size_t i = 0; i < dropped_.size(); ++i)
      if (!dropped_[i]) notices.push_back(fmt::format("exclude[{}] drops no point", i));
    for (const std::string& name : matrix_.baselines)
      if (!added_.contains(name))
        notices.push_back(fmt::format("baseline {} adds no configuration", name));
    for (const std::string& path : given_fields())
      if (std::ranges::none_of(configs,
                               [&](const Config& each) { return each.values().contains(path); }))
        notices.push_back(fmt::format("{} has no effect: no configuration uses it", path));
    return notices;
  }

 private:
  /// The fields with a value that is not the one they have anyway.
  std::set<std::string> given_fields() const {
    std::set<std::string> fields;
    const auto add = [&](const std::string& path, const Json& value) {
      if (value != find_field(path)->fallback) fields.insert(path);
    };
    for (const auto& [path, value] : matrix_.base)
      add(path, value);
    for (const FieldValues& variant : matrix_.variants)
      for (const auto& [path, value] : variant)
        add(path, value);
    for (const SweepAxis& axis : matrix_.sweep)
      for (const Json& value : axis.values)
        add(axis.path, value);
    return fields;
  }

  const Matrix& matrix_;
  std::vector<bool> dropped_;
  std::set<std::string_view> added_;
};

/// Tables, folders and progress know a configuration by its label. Files of one name in two folders
/// would share it.
Status check_labels(const std::string& matrix, const std::vector<Config>& configs) {
  std::set<std::string> labels;
  for (const Config& config : configs)
    if (const auto [label, fresh] = labels.insert(config.label()); !fresh)
      return fail(ErrorKind::bad_input,
                  fmt::format("{}: two configurations would both be called {}; rename one of the "
                              "files or layers they differ in",
                              matrix, *label));
  return {};
}

}  // namespace

std::vector<std::string> known_baselines() {
  std::vector<std::string> names;
  for (const Baseline& baseline : baselines)
    names.emplace_back(baseline.name);
  return names;
}

std::optional<Config> baseline_of(std::string_view name, const Config& config) {
  const auto found = std::ranges::find(baselines, name, &Baseline::name);
  return found == baselines.end() ? std::nullopt : found->of(config);
}

Result<Expansion> expand(const Matrix& matrix) {
  const double points = count_points(matrix);
  if (points > 1e6)
    return fail(
        ErrorKind::bad_input,
        fmt::format("{}: the sweep has {:.0f} points, more than a million; split the matrix",
                    matrix.name, points));
  Expansion expansion;
  UniqueConfigs unique(expansion.configs);
  Grouping grouping(matrix.deploy.selection);
  Effects effects(matrix);
  for (std::size_t index = 0; index < static_cast<std::size_t>(points); ++index) {
    FieldValues point = point_at(matrix, index);
    ++expansion.points;
    if (effects.excluded(point)) {
      ++expansion.excluded;
      continue;
    }
    const Config config = Config::from(point);
    const auto [place, fresh] = unique.add(config);
    expansion.collapsed += !fresh;
    grouping.add(std::move(point), place, config);
    for (const Baseline& baseline : baselines)
      if (std::ranges::count(matrix.baselines, baseline.name) > 0)
        if (auto added = baseline.of(config)) {
          const auto [place_of_it, fresh_one] = unique.add(std::move(*added));
          if (fresh_one) effects.added(baseline.name);
          grouping.add_baseline(place_of_it);
        }
  }
  expansion.groups = grouping.groups();
  expansion.notices = effects.notices(expansion.configs);
  ASSAY_CHECK(check_labels(matrix.name, expansion.configs));
  return expansion;
}

}  // namespace assay
