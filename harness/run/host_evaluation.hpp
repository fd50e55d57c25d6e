// Accuracy of an int8 model by the device's own arithmetic on the host: generated code over
// portable kernels, compiled, fed every image through the wire format. A board must repeat these
// logits.
#pragma once

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "compress/data/dataset.hpp"
#include "harness/core/json.hpp"

namespace assay {

/// Logits of one split, as the host computed them.
struct SplitEvaluation {
  int count = 0;
  int correct = 0;
  int classes = 0;
  std::vector<std::int8_t> logits;  ///< [count][classes]
};

/// Index of the largest logit; the first one of equals.
int argmax(std::span<const std::int8_t> logits);

/// The model's inputs for a range of images of a split, int8 NHWC one behind the other.
/// Errors: bad_input when the model's input does not have the images' shape.
Result<std::vector<std::int8_t>> quantized_inputs(const std::filesystem::path& model_path,
                                                  const ImageSet& images, int count);

/// Runs the model over the validation and the test split of `data` and writes into `directory`:
///   logits.bin        int8 [10000][classes], the test split
///   evaluation.json   counts and accuracies of both splits
/// Errors: those of reading, lowering, compiling and the link.
Status evaluate_on_host(const std::filesystem::path& model, const std::string& data,
                        const std::filesystem::path& directory,
                        const std::function<void(double fraction)>& progress, std::stop_token stop);

}  // namespace assay
