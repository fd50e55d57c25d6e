#include "compress/models/input_meaning.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <sstream>

namespace assay {
namespace {

Result<std::vector<float>> read_numbers(const onnx::Model& model, const std::string& key,
                                        std::size_t channels, const std::string& source) {
  const auto found = model.metadata.find(key);
  if (found == model.metadata.end())
    return fail(ErrorKind::bad_input,
                fmt::format("{} has no metadata property {}, so the scale of its input is unknown",
                            source, key));
  std::vector<float> numbers;
  std::istringstream text(found->second);
  text.imbue(std::locale::classic());
  for (float number = 0; text >> number;) {
    numbers.push_back(number);
    if (text.peek() == ',') text.get();
  }
  if (!text.eof() || numbers.size() != channels)
    return fail(ErrorKind::bad_input,
                fmt::format("{}: metadata property {} is \"{}\"; expected {} number(s) separated "
                            "by commas",
                            source, key, found->second, channels));
  return numbers;
}

}  // namespace

void write_input_meaning(onnx::Model& model, const InputMeaning& meaning) {
  model.metadata["assay.dataset"] = meaning.dataset;
  model.metadata["assay.mean"] = fmt::format("{}", fmt::join(meaning.normalization.mean, ","));
  model.metadata["assay.deviation"] =
      fmt::format("{}", fmt::join(meaning.normalization.deviation, ","));
}

Result<InputMeaning> read_input_meaning(const onnx::Model& model, const std::string& source) {
  if (model.inputs.size() != 1 || model.inputs[0].shape.size() != 4)
    return fail(ErrorKind::bad_input,
                fmt::format("{} must have one image input [N, channels, height, width]", source));
  const auto channels = std::size_t(model.inputs[0].shape[1]);
  InputMeaning meaning;
  const auto dataset = model.metadata.find("assay.dataset");
  if (dataset != model.metadata.end()) meaning.dataset = dataset->second;
  ASSAY_TRY(meaning.normalization.mean, read_numbers(model, "assay.mean", channels, source));
  ASSAY_TRY(meaning.normalization.deviation,
            read_numbers(model, "assay.deviation", channels, source));
  for (float deviation : meaning.normalization.deviation)
    if (!(deviation > 0))
      return fail(ErrorKind::bad_input,
                  fmt::format("{}: metadata property assay.deviation must be above 0", source));
  return meaning;
}

}  // namespace assay
