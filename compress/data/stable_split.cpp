#include "compress/data/stable_split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace assay {
namespace {

tl::unexpected<Error> refused(const std::string& message) {
  return fail(ErrorKind::bad_input, message);
}

/// A split for every unit of one group: units are images or subjects.
Result<std::map<std::string, Split>> divide_units(std::vector<std::string> units,
                                                  const SplitParts& parts, bool with_test,
                                                  const std::string& what) {
  const auto share = [&](double part) {
    return std::max<std::size_t>(1, std::size_t(std::lround(part * double(units.size()))));
  };
  const std::size_t test = with_test ? share(parts.test) : 0;
  const std::size_t validation = share(parts.validation);
  if (test + validation >= units.size())
    return refused(fmt::format("{} {}; training, validation and test need {}", what, units.size(),
                               test + validation + 1));
  std::sort(units.begin(), units.end(), [](const std::string& a, const std::string& b) {
    return std::pair(stable_hash(a), a) < std::pair(stable_hash(b), b);
  });
  std::map<std::string, Split> splits;
  for (std::size_t i = 0; i < units.size(); ++i)
    splits[units[i]] = i < test                ? Split::test
                       : i < test + validation ? Split::validation
                                               : Split::train;
  return splits;
}

/// Divides the samples at `indices` by subject or within their classes.
Status divide_by_rule(const DatasetDescription& set, const SampleList& list,
                      const std::vector<std::size_t>& indices, bool with_test,
                      std::vector<Split>& splits) {
  std::map<int, std::vector<std::string>> groups;
  const auto unit = [&](const Sample& sample) -> const std::string& {
    return list.has_subjects ? sample.subject : sample.identity;
  };
  for (const std::size_t i : indices)
    groups[list.has_subjects ? -1 : list.samples[i].label].push_back(unit(list.samples[i]));
  std::map<std::string, Split> decided;
  for (auto& [label, units] : groups) {
    std::sort(units.begin(), units.end());
    units.erase(std::unique(units.begin(), units.end()), units.end());
    const std::string what =
        list.has_subjects ? fmt::format("{}: the number of subjects is", set.name)
        : label < 0       ? fmt::format("{}: the number of images is", set.name)
                          : fmt::format("{}: the number of images of the class {} is", set.name,
                                        list.class_names[std::size_t(label)]);
    ASSAY_TRY(auto part, divide_units(units, set.parts, with_test, what));
    decided.merge(part);
  }
  for (const std::size_t i : indices)
    splits[i] = decided.at(unit(list.samples[i]));
  return {};
}

/// Refuses a subject that the source itself puts into two splits.
Status check_subjects(const SampleList& list) {
  std::map<std::string, const Sample*> first;
  for (const Sample& sample : list.samples) {
    if (!list.has_subjects || !sample.split) continue;
    const auto [place, fresh] = first.emplace(sample.subject, &sample);
    const Sample& other = *place->second;
    if (*other.split != *sample.split)
      return refused(
          fmt::format("{}: the subject {} is in the split {}, but in {} at {}; a subject "
                      "belongs to one split",
                      sample.where, sample.subject, to_string(*sample.split),
                      to_string(*other.split), other.where));
  }
  return {};
}

Status check_result(const DatasetDescription& set, const SampleList& list,
                    const std::vector<Split>& splits) {
  for (const Split split : {Split::train, Split::validation, Split::test})
    if (std::count(splits.begin(), splits.end(), split) == 0)
      return refused(fmt::format("{}: the split {} has no images", set.name, to_string(split)));
  std::set<std::pair<Split, int>> present;
  for (std::size_t i = 0; i < splits.size(); ++i)
    present.emplace(splits[i], list.samples[i].label);
  for (const Split split : {Split::train, Split::validation, Split::test})
    for (std::size_t label = 0; label < list.class_names.size(); ++label)
      if (!present.contains({split, int(label)}))
        return refused(
            fmt::format("{}: the class {} has no images in the split {}; every split "
                        "needs some",
                        set.name, list.class_names[label], to_string(split)));
  return {};
}

}  // namespace

Result<std::vector<Split>> divide(const DatasetDescription& set, const SampleList& list) {
  std::vector<Split> splits(list.samples.size(), Split::train);
  std::vector<std::size_t> open;  // what the source leaves to the rule
  bool validation_given = false;
  for (std::size_t i = 0; i < splits.size(); ++i) {
    splits[i] = list.samples[i].split.value_or(Split::train);
    validation_given |= splits[i] == Split::validation;
    if (splits[i] == Split::train) open.push_back(i);
  }
  const bool given = list.samples.front().split.has_value();
  ASSAY_CHECK(check_subjects(list));
  if (!given || (!validation_given && !open.empty()))
    ASSAY_CHECK(divide_by_rule(set, list, open, !given, splits));
  ASSAY_CHECK(check_result(set, list, splits));
  return splits;
}

}  // namespace assay
