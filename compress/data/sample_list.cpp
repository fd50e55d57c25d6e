#include "compress/data/sample_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "compress/data/csv.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
#include "harness/core/json.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_classes = 65536;  // labels are 16 bits

tl::unexpected<Error> refused(const std::string& message) {
  return fail(ErrorKind::bad_input, message);
}

bool is_image_name(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

/// Whether a name can stand in a record.
bool is_utf8(const std::string& text) {
  const std::string kept = Json(text).dump(-1, ' ', false, Json::error_handler_t::ignore);
  return Json::parse(kept) == text;
}

/// With \x and two digits for every byte that is not ASCII.
std::string printable(const std::string& text) {
  std::string shown;
  for (const char c : text)
    shown += static_cast<unsigned char>(c) < 128 ? std::string(1, c)
                                                 : fmt::format("\\x{:02x}", std::uint8_t(c));
  return shown;
}

/// What is in a folder, sorted, hidden entries left out.
Result<std::vector<fs::path>> entries_of(const fs::path& folder) {
  std::error_code code;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code))
    if (!is_hidden(entry->path())) found.push_back(entry->path());
  if (code) return refused(fmt::format("cannot read {}: {}", folder.string(), code.message()));
  std::sort(found.begin(), found.end());
  return found;
}

/// Adds every image below a class's folder.
Status add_class(const fs::path& root, const fs::path& folder, int label, SampleList& list) {
  ASSAY_TRY(const auto entries, entries_of(folder));
  for (const fs::path& entry : entries) {
    if (fs::is_directory(entry)) {
      ASSAY_CHECK(add_class(root, entry, label, list));
      continue;
    }
    if (!is_image_name(entry))
      return refused(fmt::format("{} is no PNG or JPEG: take it out of the data set's folder",
                                 entry.string()));
    Sample sample;
    sample.identity = entry.lexically_relative(root).generic_string();
    sample.file = entry;
    sample.where = entry.string();
    sample.label = label;
    list.samples.push_back(std::move(sample));
  }
  return {};
}

Result<SampleList> list_folder(const DatasetDescription& set, const FolderSource& source) {
  SampleList list;
  ASSAY_TRY(const auto classes, entries_of(source.path));
  for (const fs::path& folder : classes) {
    const std::size_t before = list.samples.size();
    if (!fs::is_directory(folder))
      return refused(
          fmt::format("{} belongs to no class: every image lies in a sub-folder of {} "
                      "that is its class",
                      folder.string(), source.path.string()));
    if (!is_utf8(folder.filename().string()))
      return refused(
          fmt::format("{}: the folder {} names a class in bytes that are not UTF-8: "
                      "rename it",
                      set.name, printable(folder.string())));
    ASSAY_CHECK(add_class(source.path, folder, int(list.class_names.size()), list));
    if (list.samples.size() == before)
      return refused(fmt::format("{}: the class {} has no images: fill {} or remove it", set.name,
                                 folder.filename().string(), folder.string()));
    list.class_names.push_back(folder.filename().string());
  }
  return list;
}

/// Columns of a CSV by position.
struct Columns {
  std::size_t image = 0;
  std::optional<std::size_t> label;
  std::vector<std::size_t> targets;
  std::optional<std::size_t> subject;
  std::optional<std::size_t> split;
};

Result<Columns> find_columns(const CsvTable& table, const CsvSource& csv,
                             const std::string& source) {
  Columns columns;
  ASSAY_TRY(columns.image, find_column(table, csv.image_column, source));
  const auto find = [&](const std::optional<std::string>& name,
                        std::optional<std::size_t>& place) -> Status {
    if (!name) return {};
    ASSAY_TRY(place, find_column(table, *name, source));
    return {};
  };
  ASSAY_CHECK(find(csv.class_column, columns.label));
  ASSAY_CHECK(find(csv.subject_column, columns.subject));
  ASSAY_CHECK(find(csv.split_column, columns.split));
  for (const auto& name : csv.target_columns) {
    ASSAY_TRY(const auto place, find_column(table, name, source));
    columns.targets.push_back(place);
  }
  return columns;
}

/// Makes samples of rows; every message starts with the line.
class RowReader {
 public:
  RowReader(const CsvTable& table, const CsvSource& csv, Columns columns)
      : table_(table), csv_(csv), columns_(std::move(columns)) {}

  Result<Sample> read(const CsvRow& row) const {
    Sample sample;
    sample.where = fmt::format("{}: line {}", csv_.path.string(), row.line);
    ASSAY_TRY(const auto image, field(row, columns_.image, sample));
    sample.identity = fs::path(image).lexically_normal().generic_string();
    sample.file = csv_.images / image;
    for (const std::size_t column : columns_.targets) {
      ASSAY_TRY(const float target, number(row, column, sample));
      sample.targets.push_back(target);
    }
    if (columns_.subject) {
      ASSAY_TRY(sample.subject, field(row, *columns_.subject, sample));
    }
    if (columns_.split) {
      ASSAY_TRY(sample.split, split(row, sample));
    }
    return sample;
  }

  Result<std::string> class_of(const CsvRow& row, const Sample& sample) const {
    ASSAY_TRY(auto name, field(row, *columns_.label, sample));
    if (is_utf8(name)) return name;
    return refused(
        fmt::format("{}: the class in the column \"{}\" is not UTF-8; save the file as "
                    "UTF-8",
                    sample.where, table_.header[*columns_.label]));
  }

 private:
  Result<std::string> field(const CsvRow& row, std::size_t column, const Sample& sample) const {
    if (!row.fields[column].empty()) return row.fields[column];
    return refused(
        fmt::format("{}: the column \"{}\" is empty", sample.where, table_.header[column]));
  }

  Result<float> number(const CsvRow& row, std::size_t column, const Sample& sample) const {
    const std::string& text = row.fields[column];
    float value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code == std::errc() && end == text.data() + text.size() && std::isfinite(value))
      return value;
    return refused(fmt::format("{}: expected a number in the column \"{}\", found \"{}\"",
                               sample.where, table_.header[column], text));
  }

  Result<Split> split(const CsvRow& row, const Sample& sample) const {
    const std::string& word = row.fields[*columns_.split];
    for (const Split known : {Split::train, Split::validation, Split::test})
      if (word == to_string(known)) return known;
    return refused(
        fmt::format("{}: expected train, validation or test in the column \"{}\", found "
                    "\"{}\"",
                    sample.where, table_.header[*columns_.split], word));
  }

  const CsvTable& table_;
  const CsvSource& csv_;
  Columns columns_;
};

/// Numbers the classes in the order of their names.
void number_classes(const std::vector<std::string>& classes, SampleList& list) {
  std::map<std::string, int> labels;
  for (const auto& name : classes)
    labels.emplace(name, 0);
  for (auto& [name, label] : labels) {
    label = int(list.class_names.size());
    list.class_names.push_back(name);
  }
  for (std::size_t i = 0; i < list.samples.size(); ++i)
    list.samples[i].label = labels.at(classes[i]);
}

Status check_files(const SampleList& list) {
  std::size_t missing = 0;
  const Sample* first = nullptr;
  std::error_code ignored;
  for (const Sample& sample : list.samples) {
    if (fs::is_regular_file(sample.file, ignored)) continue;
    if (missing++ == 0) first = &sample;
  }
  if (missing == 0) return {};
  return refused(fmt::format("{}: {} is missing; of {} images, {} are", first->where,
                             first->file.string(), list.samples.size(), missing));
}

Status check_unique(const SampleList& list, const std::string& source) {
  std::map<std::string, const Sample*> seen;
  for (const Sample& sample : list.samples) {
    const auto [place, fresh] = seen.emplace(sample.identity, &sample);
    if (!fresh)
      return refused(fmt::format("{}: the image {} is there twice, first at {}", sample.where,
                                 sample.identity, place->second->where.substr(source.size() + 2)));
  }
  return {};
}

Result<SampleList> list_csv(const CsvSource& csv) {
  ASSAY_TRY(const auto text, read_text(csv.path));
  const std::string source = csv.path.string();
  ASSAY_TRY(const auto table, parse_csv(text, source));
  ASSAY_TRY(auto columns, find_columns(table, csv, source));
  const RowReader reader(table, csv, std::move(columns));
  SampleList list;
  std::vector<std::string> classes;
  for (const CsvRow& row : table.rows) {
    ASSAY_TRY(auto sample, reader.read(row));
    if (csv.class_column) {
      ASSAY_TRY(auto name, reader.class_of(row, sample));
      classes.push_back(std::move(name));
    }
    list.samples.push_back(std::move(sample));
  }
  if (csv.class_column) number_classes(classes, list);
  list.target_names = csv.target_columns;
  list.has_subjects = csv.subject_column.has_value();
  list.source_sha256 = sha256_hex(text);
  ASSAY_CHECK(check_unique(list, source));
  ASSAY_CHECK(check_files(list));
  return list;
}

Status check_classes(const DatasetDescription& set, const SampleList& list) {
  if (!list.target_names.empty()) return {};
  const std::size_t count = list.class_names.size();
  if (count < 2)
    return refused(fmt::format("{} has {} class(es); a classification needs two", set.name, count));
  if (count > most_classes)
    return refused(fmt::format("{} has {} classes; the most is {}", set.name, count, most_classes));
  return {};
}

void mix(std::vector<Sample>& samples) {
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  for (std::size_t i = 0; i < samples.size(); ++i)
    order.emplace_back(stable_hash(samples[i].identity), i);
  std::sort(order.begin(), order.end());
  std::vector<Sample> mixed;
  for (const auto& [hash, index] : order)
    mixed.push_back(std::move(samples[index]));
  samples = std::move(mixed);
}

}  // namespace

std::uint64_t stable_hash(const std::string& text) {
  std::uint64_t value = 0;
  const std::string digits = sha256_hex(text).substr(0, 16);
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

Result<SampleList> list_samples(const DatasetDescription& set) {
  SampleList list;
  const fs::path path = std::visit([](const auto& source) { return source.path; }, set.source);
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    return refused(fmt::format("{}: path names {}, which does not exist", set.name, path.string()));
  if (const auto* folder = std::get_if<FolderSource>(&set.source)) {
    ASSAY_TRY(list, list_folder(set, *folder));
  } else {
    ASSAY_TRY(list, list_csv(std::get<CsvSource>(set.source)));
  }
  ASSAY_CHECK(check_classes(set, list));
  mix(list.samples);
  return list;
}

}  // namespace assay
