#include "harness/plan/field.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "compress/data/dataset.hpp"
#include "compress/models/model_spec.hpp"
#include "compress/train/stage_description.hpp"

namespace assay {
namespace {

constexpr double any_seed = 2147483647;
/// How long, and from which peak rate, a step learns that starts from a trained network.
struct FurtherLearning {
  int epochs;
  double learning_rate;
};
// Removed weights must be made up for by the others; rounded ones hardly move.
constexpr FurtherLearning usual_after_pruning = {6, 0.004};
constexpr FurtherLearning usual_after_rounding = {3, 0.002};

template <class Values>
std::vector<Json> as_words(const Values& values) {
  return {values.begin(), values.end()};
}

Field text(std::string path, std::vector<Json> words, Json fallback, std::string label,
           std::string meaning) {
  return {std::move(path),     FieldType::text,  std::move(words),  0, 0,
          std::move(fallback), std::move(label), std::move(meaning)};
}

Field integer(std::string path, double low, double high, Json fallback, std::string label,
              std::string meaning, std::vector<Json> words = {}) {
  return {std::move(path),     FieldType::integer, std::move(words),  low, high,
          std::move(fallback), std::move(label),   std::move(meaning)};
}

Field number(std::string path, double low, double high, Json fallback, std::string label,
             std::string meaning, std::vector<Json> words = {}) {
  return {std::move(path),     FieldType::number, std::move(words),  low, high,
          std::move(fallback), std::move(label),  std::move(meaning)};
}

Field boolean(std::string path, bool fallback, std::string label, std::string meaning) {
  return {std::move(path),  FieldType::boolean, {}, 0, 0, fallback,
          std::move(label), std::move(meaning)};
}

/// Layer name -> one of `entries`; without entries: -> another name.
Field table(std::string path, std::vector<Json> entries, std::string label, std::string meaning) {
  return {std::move(path),    FieldType::table,  {}, 0, 0, nullptr, std::move(label),
          std::move(meaning), std::move(entries)};
}

/// A word, or a list of layer names.
Field layers(std::string path, std::vector<Json> words, Json fallback, std::string label,
             std::string meaning) {
  return {std::move(path),     FieldType::names, std::move(words),  0, 0,
          std::move(fallback), std::move(label), std::move(meaning)};
}

void append(std::vector<Field>& all, std::vector<Field> more) {
  std::ranges::move(more, std::back_inserter(all));
}

std::vector<Field> network_fields() {
  const auto families = as_words(known_model_families());
  return {
      {"data",
       FieldType::text,
       as_words(known_datasets()),
       0,
       0,
       "fashion-mnist",
       "on-",
       "The data set every network is trained and tested on: a known one, or the path of a "
       "description.",
       {},
       {".json"}},
      text("teacher.model", families, "conv5", "teacher-",
           "The family whose whole network teaches the students."),
      integer("teacher.seed", 0, any_seed, 1, "ts", "Seed of the teacher's run."),
      integer(
          "teacher.count", 1, 16, 1, "tn",
          "Teachers of an ensemble, with seeds from teacher.seed on; their logits are averaged."),
      integer("teacher.epochs", 1, 10000, nullptr, "te",
              "Epochs of the teacher; train.epochs when absent."),
      text("student.model", families, "conv5", "", "The student's family."),
      text("student.cut", {"none", 5, 4}, "none", "cut",
           "Layer-wise cut: \"none\", 5 (the last convolution removed) or 4 (the last two)."),
      text("student.fewer_filters_pct", as_words(known_fewer_filters_pct()), 0, "width",
           "Per cent fewer filters in every convolution."),
  };
}

std::vector<Field> transfer_fields() {
  return {
      {"student.from",
       FieldType::text,
       {},
       0,
       0,
       nullptr,
       "",
       "A network that was trained elsewhere, in place of a family's new one: the path of an ONNX "
       "or a TorchScript file.",
       {},
       {".onnx", ".pt", ".torchscript"}},
      text("student.head", {"replace", "keep"}, "replace", "head-",
           "Whether the file's last layer is replaced by a new one for the data set's classes."),
      layers("student.freeze", {"none", "all-but-head"}, "none", "fz-",
             "The file's layers that training leaves as they are."),
  };
}

std::vector<Field> training_fields() {
  const TrainSettings train;
  const DistillSettings distill;
  return {
      integer("train.epochs", 1, 10000, train.epochs, "e", "Passes over the training images."),
      integer("train.batch", 1, 4096, train.batch, "b", "Images per optimizer step."),
      number("train.learning_rate", 1e-9, 10, train.learning_rate, "lr",
             "Peak learning rate of the schedule."),
      number("train.weight_decay", 0, 1, train.weight_decay, "wd",
             "Decoupled weight decay; batch-normalization parameters and biases are left out."),
      text("train.schedule", {"one-cycle", "linear", "constant"}, to_string(train.schedule), "lr-",
           "How the learning rate moves over the run."),
      integer("train.images", 1, 1e9, nullptr, "n",
              "Only the first N training images; all when absent."),
      boolean("augment.flip", false, "flip-", "Training images are mirrored, half of them."),
      integer("augment.shift", 0, 1024, 0, "shift",
              "Pixels that training images are moved by at most, along each axis."),
      integer("augment.cutout", 0, 1024, 0, "cutout",
              "Side of a square that is cut out of every training image."),
      number("distill.alpha", 0, 1, distill.alpha, "a",
             "Weight of the cross-entropy with the labels."),
      number("distill.beta", 0, 1, "1-alpha", "B",
             "Weight of the divergence from the teacher; \"1-alpha\" ties it to alpha.",
             {"1-alpha"}),
      number("distill.T", 0.01, 1000, distill.temperature, "T", "Temperature of both softmaxes."),
      boolean("distill.t_squared", distill.t_squared, "t2-",
              "Scale the teacher's term by T^2, which keeps its gradient's size independent of T."),
      text("distill.teacher", {"fixed", "joint"}, "fixed", "t-",
           "Whether the teacher was trained before, or learns at the same time."),
      table("distill.hints", {}, "hints",
            "Inner features to imitate: {\"student layer\": \"teacher layer\"}."),
      number("distill.hint_weight", 0, 1000, distill.hint_weight, "hw",
             "Weight of the hints' squared error."),
  };
}

/// Epochs, rate and order of the learning that a later step of the pipeline adds.
std::vector<Field> further_learning(const std::string& group, const std::string& mark,
                                    const FurtherLearning& usual) {
  return {
      integer(group + ".epochs", 0, 10000, usual.epochs, mark + "e",
              "Epochs of this step; 0 leaves the network as the step makes it."),
      number(group + ".learning_rate", 1e-9, 10, usual.learning_rate, mark + "lr",
             "Peak learning rate of this step; it decays linearly to zero."),
  };
}

std::vector<Field> noise_fields() {
  const NoiseSettings noise;
  return {
      text("noise.kind", {"int8", "int4", "product"}, "int8", "noise-",
           "What Quant-Noise rounds to while the network is trained."),
      number("noise.p", 0, 1, nullptr, "np",
             "Share of the weight blocks that are quantized in a forward pass; 0.5, of product "
             "quantization 0.1."),
      integer("noise.block", 1, 1024, noise.block, "nb",
              "Weights of a row that are quantized together, or not."),
      integer("noise.centroids", 1, 65536, nullptr, "nc", "Codewords of product quantization."),
      layers("noise.layers", {"all", "conv", "dense", "last", "latency"}, "all", "nl-",
             "The layers that see the noise."),
  };
}

std::vector<Field> prune_fields() {
  const PruningSchedule schedule;
  std::vector<Field> fields = {
      number("prune.sparsity", 0, 0.999999, schedule.sparsity, "p",
             "Part of the chosen layers' weights that becomes zero; 0 prunes nothing."),
      text("prune.schedule", {"constant", "polynomial"}, "polynomial", "ps-",
           "How the sparsity rises: at once, or with the third power (Zhu and Gupta, 2017)."),
      number("prune.initial", 0, 0.999999, schedule.initial, "pi",
             "Sparsity the polynomial schedule starts from."),
      number("prune.begin", 0, 1, schedule.begin, "pb",
             "When pruning begins, as a part of this step's learning."),
      number("prune.end", 0, 1, schedule.end, "pn",
             "When the polynomial schedule reaches its target."),
      integer("prune.frequency", 1, 1000000, schedule.frequency, "pf",
              "Optimizer steps between two updates of the masks."),
      text("prune.granularity",
           {"unstructured", "block-1x4", "1:4", "2:4", "3:4", "2:8", "4:8", "6:8", "filter"},
           "unstructured", "pg-",
           "What is pruned together: single weights, blocks of four input channels, N of every M "
           "consecutive input channels, or whole filters, which shrink the network."),
      text("prune.ranking", {"layer", "global"}, "layer", "pr-",
           "Whether every layer is pruned to the target, or all together."),
      layers("prune.layers", {"all", "conv", "dense", "last", "latency"}, "all", "pl-",
             "The layers to prune; \"latency\" takes those that a sparse kernel speeds up."),
      layers("prune.except", {}, nullptr, "px-", "Layers that are not pruned."),
  };
  append(fields, further_learning("prune", "p", usual_after_pruning));
  return fields;
}

std::vector<Field> cluster_fields() {
  std::vector<Field> fields = {
      integer("cluster.clusters", 1, 256, "none", "k",
              "Different weights a layer (or output channel) may have; \"none\" does not cluster.",
              {"none"}),
      text("cluster.init", {"linear", "random", "density", "k-means++", "exact"}, "exact", "ki-",
           "Where k-means starts; \"exact\" finds the optimum."),
      text("cluster.per", {"layer", "channel"}, "layer", "kp-",
           "What shares a codebook: a layer, or each output channel (row)."),
      text("cluster.scale", {"channel", "none"}, "channel", "ks-",
           "Whether centroids are integers in units of the channel's int8 scale, or real."),
      boolean("cluster.preserve_sparsity", true, "kz-", "Zeros keep a centroid of their own."),
      boolean("cluster.zero_smallest", false, "k0-", "The centroid nearest to zero becomes zero."),
      layers("cluster.layers", {"all", "conv", "dense", "last", "latency"}, "all", "kl-",
             "The layers to cluster."),
      layers("cluster.except", {}, nullptr, "kx-", "Layers that are not clustered."),
  };
  append(fields, further_learning("cluster", "k", usual_after_rounding));
  return fields;
}

std::vector<Field> quantize_fields() {
  const QuantizeSettings quantize;
  std::vector<Field> fields = {
      text("quantize.scheme", known_schemes(), to_string(quantize.scheme), "as-",
           "What becomes of the float network."),
      text("quantize.weight_bits", {8, 4, 2}, quantize.weight_bits, "w",
           "Width of integer weights; 2 bits are ternary."),
      {"quantize.layer_bits",
       FieldType::table,
       {},
       0,
       0,
       nullptr,
       "wl",
       "Widths of single layers: {\"layer\": 8}.",
       {8, 4, 2}},
      text("quantize.weight_observer", known_weight_observers(),
           to_string(quantize.weight_observer), "wo-", "How weight scales are found."),
      text("quantize.weight_scales", known_weight_scales(), to_string(quantize.weight_scales),
           "ws-", "What shares a weight scale: an output channel, or the layer."),
      text("quantize.observer", known_observers(), to_string(quantize.observer), "obs-",
           "How activation ranges are taken from the calibration images."),
      integer("quantize.samples", 1, 512, quantize.samples, "q", "Calibration images."),
      text("quantize.training", {"none", "observed", "learned"}, "none", "qat-",
           "Whether the network learns to be quantized, with scales that are observed or learned."),
  };
  append(fields, further_learning("quantize", "q", usual_after_rounding));
  return fields;
}

std::vector<Field> make_fields() {
  std::vector<Field> fields = network_fields();
  append(fields, transfer_fields());
  append(fields, training_fields());
  append(fields, noise_fields());
  append(fields, prune_fields());
  append(fields, cluster_fields());
  append(fields, quantize_fields());
  fields.push_back(integer("seed", 0, any_seed, 1, "s", "Seed of the student's run."));
  return fields;
}

bool is_name(const Json& value) {
  return value.is_string() && !value.get_ref<const std::string&>().empty();
}

/// Whole numbers with all their digits.
std::string number_text(double value) {
  return value == std::trunc(value) ? fmt::format("{:.0f}", value) : fmt::format("{:g}", value);
}

bool is_path(const Field& field, const Json& value) {
  return value.is_string() && path_ending(field, value.get_ref<const std::string&>());
}

/// Whether a table may say this of a layer.
bool is_entry(const Field& field, const Json& value) {
  return field.entries.empty() ? is_name(value) : std::ranges::count(field.entries, value) > 0;
}

bool type_matches(const Field& field, const Json& value) {
  switch (field.type) {
    case FieldType::text:
      return is_path(field, value);  // else only the words
    case FieldType::integer:
      return value.is_number() && std::trunc(value.get<double>()) == value.get<double>();
    case FieldType::number:
      return value.is_number();
    case FieldType::boolean:
      return value.is_boolean();
    case FieldType::names:
      return value.is_array() && !value.empty() && std::ranges::all_of(value, is_name);
    case FieldType::table:
      return value.is_object() && !value.empty() &&
             std::ranges::all_of(value, [&](const Json& v) { return is_entry(field, v); });
  }
  return false;
}

std::string words_text(const std::vector<Json>& words) {
  std::vector<std::string> texts;
  for (const auto& word : words)
    texts.push_back(word.dump());
  return fmt::format("{}", fmt::join(texts, " or "));
}

/// What the type takes beside the words; empty for a text.
std::string type_text(const Field& field) {
  switch (field.type) {
    case FieldType::text:
      if (field.file_endings.empty()) return "";
      return fmt::format("a path that ends in {}", fmt::join(field.file_endings, " or "));
    case FieldType::boolean:
      return "true or false";
    case FieldType::integer:
    case FieldType::number:
      return fmt::format("{} from {} to {}",
                         field.type == FieldType::integer ? "an integer" : "a number",
                         number_text(field.low), number_text(field.high));
    case FieldType::names:
      return "a list of layer names";
    case FieldType::table:
      return "an object: layer name -> " +
             (field.entries.empty() ? "layer name" : words_text(field.entries));
  }
  return "";
}

/// What is wrong with a value: of a list or a table the entry that is.
std::string found_text(const Field& field, const Json& value) {
  const bool list = field.type == FieldType::names && value.is_array();
  const bool table = field.type == FieldType::table && value.is_object();
  if ((list || table) && value.empty()) return "an empty one";
  for (const auto& [key, entry] : value.items()) {
    if (list && !is_name(entry)) return describe(entry) + " in it";
    if (table && !is_entry(field, entry)) return fmt::format("{} for \"{}\"", describe(entry), key);
  }
  return describe(value);
}

}  // namespace

std::span<const Field> config_fields() {
  static const std::vector<Field> fields = make_fields();
  return fields;
}

const Field* find_field(std::string_view path) {
  const auto fields = config_fields();
  const auto found = std::ranges::find(fields, path, &Field::path);
  return found == fields.end() ? nullptr : &*found;
}

std::optional<std::string_view> path_ending(const Field& field, std::string_view text) {
  for (const std::string_view ending : field.file_endings)
    if (text.size() > ending.size() && text.ends_with(ending)) return ending;
  return std::nullopt;
}

std::string expected_values(const Field& field) {
  const std::string words = words_text(field.words);
  const std::string type = type_text(field);
  return words + (words.empty() || type.empty() ? "" : " or ") + type;
}

Result<Json> normalize_value(const Field& field, const Json& value) {
  const auto word = std::ranges::find(field.words, value);
  if (word != field.words.end()) return *word;
  const bool fits = type_matches(field, value) &&
                    (!value.is_number() ||
                     (value.get<double>() >= field.low && value.get<double>() <= field.high));
  if (!fits)
    return fail(ErrorKind::bad_input, fmt::format("expected {}, found {}", expected_values(field),
                                                  found_text(field, value)));
  if (field.type == FieldType::integer) return static_cast<std::int64_t>(value.get<double>());
  if (field.type == FieldType::number) return value.get<double>();
  if (field.type != FieldType::names) return value;
  Json sorted = value;
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace assay
