#include "compress/train/transfer_start.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "compress/methods/settings.hpp"
#include "compress/models/head.hpp"

namespace assay {
namespace {

using Head = TransferStart::Head;
using Freeze = TransferStart::Freeze;

constexpr Words<Head, 2> heads{{
    {Head::replace, "replace"},
    {Head::keep, "keep"},
}};

constexpr Words<Freeze, 2> freezes{{
    {Freeze::none, "none"},
    {Freeze::all_but_head, "all-but-head"},
}};

}  // namespace

Json to_json(const TransferStart& start) {
  Json json = {{"head", word_of(heads, start.head)}};
  if (start.freeze == Freeze::named)
    json["freeze"] = start.frozen;
  else
    json["freeze"] = word_of(freezes, start.freeze);
  return json;
}

TransferStart read_transfer_start(JsonObject& object) {
  TransferStart start;
  start.head = read_word(object, "head", heads, start.head);
  if (!object.has("freeze") || !object.raw("freeze").is_array()) {
    start.freeze = read_word(object, "freeze", freezes, start.freeze);
    return start;
  }
  start.freeze = Freeze::named;
  start.frozen = object.list<std::string>("freeze");
  if (start.frozen.empty()) object.problem("freeze", "the list is empty: name at least one layer");
  return start;
}

Result<std::vector<std::size_t>> layers_to_freeze(const TransferStart& start,
                                                  const onnx::Model& model,
                                                  const std::vector<std::string>& layers,
                                                  const std::string& source) {
  std::set<std::string> frozen(start.frozen.begin(), start.frozen.end());
  if (start.freeze == Freeze::all_but_head) {
    ASSAY_TRY(const std::string head, find_head(model, source));
    frozen = {layers.begin(), layers.end()};
    frozen.erase(head);
  }
  for (const std::string& name : frozen)
    if (std::ranges::count(layers, name) == 0)
      return fail(ErrorKind::bad_input, fmt::format("{} has no layer \"{}\" to freeze; it has {}",
                                                    source, name, fmt::join(layers, ", ")));
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (frozen.contains(layers[i])) positions.push_back(i);
  if (positions.size() < layers.size()) return positions;
  return fail(ErrorKind::bad_input,
              fmt::format("{}: with all of its layers frozen nothing is left to train", source));
}

Status check_outputs(const std::vector<std::int64_t>& outputs, const DatasetInfo& data,
                     const std::string& source) {
  if (outputs == std::vector<std::int64_t>{data.outputs}) return {};
  return fail(ErrorKind::bad_input,
              fmt::format("{} puts out [1, {}] for an image, {} needs [1, {}]; replace the head",
                          source, fmt::join(outputs, ", "), data.name, data.outputs));
}

}  // namespace assay
