#include "compress/models/foreign_network.hpp"

#include <fmt/format.h>

#include <array>

#include "compress/models/input_meaning.hpp"
#include "compress/onnx/normal_form.hpp"

namespace assay {
namespace {

std::string size_text(std::int64_t extent) {
  return extent < 0 ? "any" : fmt::format("{}", extent);
}

Status fit_input(onnx::Model& model, const DatasetInfo& data, const std::string& source) {
  if (model.inputs.size() != 1 || model.inputs[0].shape.size() != 4 || model.outputs.size() != 1 ||
      model.inputs[0].type != onnx::ElementType::float32)
    return fail(ErrorKind::bad_input,
                fmt::format("{} must have one float32 image input [N, channels, height, width] and "
                            "one output",
                            source));
  auto& shape = model.inputs[0].shape;
  const std::array<std::int64_t, 3> image{data.channels, data.height, data.width};
  for (std::size_t i = 0; i < image.size(); ++i)
    if (shape[i + 1] >= 0 && shape[i + 1] != image[i])
      return fail(ErrorKind::bad_input,
                  fmt::format("{} takes images of {} x {} x {}, those of {} are {} x {} x {}; "
                              "export the network for that size, or describe a data set that has "
                              "the network's",
                              source, size_text(shape[1]), size_text(shape[2]), size_text(shape[3]),
                              data.name, data.channels, data.height, data.width));
  std::ranges::copy(image, shape.begin() + 1);
  return {};
}

}  // namespace

Result<onnx::Model> adopt_network(const onnx::Model& model, const DatasetInfo& data,
                                  const std::string& source) {
  ASSAY_TRY(onnx::Model adopted, onnx::to_normal_form(model, source));
  ASSAY_CHECK(fit_input(adopted, data, source));
  write_input_meaning(adopted, {data.name, data.normalization});
  return adopted;
}

Result<onnx::Model> read_foreign_network(const std::filesystem::path& path,
                                         const DatasetInfo& data) {
  ASSAY_TRY(const onnx::Model model, onnx::read_model(path));
  return adopt_network(model, data, path.string());
}

bool is_torchscript(const std::filesystem::path& path) {
  return path.extension() == ".pt" || path.extension() == ".torchscript";
}

}  // namespace assay
