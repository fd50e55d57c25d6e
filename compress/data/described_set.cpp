#include "compress/data/described_set.hpp"

#include <map>
#include <memory>
#include <mutex>

#include "compress/data/prepared_set.hpp"

namespace assay::described {
namespace {

namespace fs = std::filesystem;

/// What is looked at to see that a file is as it was.
using FileState = std::pair<std::uintmax_t, fs::file_time_type>;

FileState state_of(const fs::path& file) {
  std::error_code ignored;
  const auto size = fs::file_size(file, ignored);
  return {size, fs::last_write_time(file, ignored)};
}

/// A set this process has prepared, and the files that would make it another.
struct Known {
  FileState description;
  fs::path source;  ///< the CSV, or the folder
  FileState source_state;
  std::shared_ptr<const PreparedSet> set;
};

std::mutex mutex;

std::map<std::string, Known>& known_sets() {
  static std::map<std::string, Known> sets;
  return sets;
}

/// States are taken before the files are read: what changes meanwhile is noticed the next time.
Result<Known> prepare(const std::string& path) {
  Known known;
  known.description = state_of(path);
  ASSAY_TRY(const auto description, read_description(path));
  known.source = std::visit([](const auto& source) { return source.path; }, description.source);
  known.source_state = state_of(known.source);
  ASSAY_TRY(auto set, prepare_set(path));
  known.set = std::make_shared<const PreparedSet>(std::move(set));
  return known;
}

Result<std::shared_ptr<const PreparedSet>> find(const std::string& path, bool anew = false) {
  const std::lock_guard lock(mutex);
  auto& sets = known_sets();
  const auto found = sets.find(path);
  if (!anew && found != sets.end() && found->second.description == state_of(path) &&
      found->second.source_state == state_of(found->second.source))
    return found->second.set;
  if (found != sets.end()) sets.erase(found);
  ASSAY_TRY(auto known, prepare(path));
  return sets.emplace(path, std::move(known)).first->second.set;
}

}  // namespace

Result<DatasetInfo> info(const std::string& path) {
  ASSAY_TRY(const auto set, find(path));
  return set->info;
}

Result<DatasetInfo> info_anew(const std::string& path) {
  ASSAY_TRY(const auto set, find(path, true));
  return set->info;
}

Result<DatasetPresence> locate(const std::string& path) {
  ASSAY_TRY(const auto description, read_description(path));
  DatasetPresence presence;
  presence.folder = std::visit([](const auto& source) { return source.path; }, description.source);
  presence.present = fs::exists(presence.folder);
  presence.remedy = "give it the path of your images in " + path;
  return presence;
}

Status verify(const std::string& path) {
  ASSAY_TRY(const auto set, find(path, true));
  return assay::verify(*set);
}

Result<ImageSet> load(const std::string& path, Split split) {
  ASSAY_TRY(const auto set, find(path));
  return assay::load(*set, split);
}

}  // namespace assay::described
