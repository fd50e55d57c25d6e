#include "compress/train/transfer_start.hpp"

#include "compress/methods/settings.hpp"

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

}  // namespace assay
