// A model over a whole split: read, normalize, run in batches, report progress.
#pragma once

#include "compress/data/dataset.hpp"
#include "compress/train/interpreter.hpp"
#include "compress/train/preprocess.hpp"
#include "compress/train/stages.hpp"

namespace assay {

/// A model file that fits a data set's images, batch normalization folded.
struct LoadedModel {
  onnx::Model model;
  Interpreter interpreter;
  Preprocessor preprocessor;  ///< by the model's own metadata
  int batch = 1;              ///< images at once: the model's own batch where it is fixed
};

/// Errors: bad_input when the file is not a usable model or its input has other dimensions than the
/// data set's images.
Result<LoadedModel> load_model(const std::filesystem::path& path, const DatasetInfo& data);

/// Called with the output rows of images first to first + count - 1, [count][classes].
using RowsSeen = std::function<Status(int first, int count, std::span<const float> rows)>;

/// Runs the first `count` images. Progress goes from `from` to `to`. Errors: of the model, of
/// `seen`; interrupted.
Status run_model(const LoadedModel& model, const ImageSet& images, int count,
                 const StageContext& context, const std::string& what, double from, double to,
                 const RowsSeen& seen, const Interpreter::Watch& watch = {});

}  // namespace assay
