#include "compress/train/model_runner.hpp"

#include <fmt/format.h>

#include "compress/models/input_meaning.hpp"
#include "compress/onnx/fold_batch_norm.hpp"

namespace assay {
namespace {

constexpr int free_batch = 128;

}  // namespace

Result<LoadedModel> load_model(const std::filesystem::path& path, const DatasetInfo& data) {
  ASSAY_TRY(const onnx::Model read, onnx::read_model(path));
  ASSAY_TRY(onnx::Model model, onnx::fold_batch_norm(read));
  ASSAY_TRY(Interpreter interpreter, Interpreter::create(model, path.string()));
  const auto& shape = model.inputs[0].shape;
  if (shape[1] != data.channels || shape[2] != data.height || shape[3] != data.width)
    return fail(ErrorKind::bad_input,
                fmt::format("{} takes images of {} x {} x {}; those of {} are {} x {} x {}",
                            path.string(), shape[1], shape[2], shape[3], data.name, data.channels,
                            data.height, data.width));
  ASSAY_TRY(const InputMeaning meaning, read_input_meaning(model, path.string()));
  const int batch = shape[0] > 0 ? int(shape[0]) : free_batch;
  return LoadedModel{std::move(model), std::move(interpreter), Preprocessor(meaning.normalization),
                     batch};
}

Status run_model(const LoadedModel& model, const ImageSet& images, int count,
                 const StageContext& context, const std::string& what, double from, double to,
                 const RowsSeen& seen, const Interpreter::Watch& watch) {
  std::vector<float> input;
  for (int first = 0; first < count; first += model.batch) {
    if (context.stop.stop_requested())
      return fail(ErrorKind::interrupted, fmt::format("{} was stopped", what));
    const int size = std::min(model.batch, count - first);
    model.preprocessor.slice(images, first, size, input);
    ASSAY_TRY(const std::vector<float> rows, model.interpreter.run(input, size, watch));
    ASSAY_CHECK(seen(first, size, rows));
    const int done = first + size;
    context.progress(from + (to - from) * done / count,
                     fmt::format("{}: {} of {} images", what, done, count));
  }
  return {};
}

}  // namespace assay
