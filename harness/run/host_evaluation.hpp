// How good a model is by the device's own arithmetic on the host: generated code over
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

/// The model's inputs for the first images of a split, NHWC one behind the other: int8, or the
/// bytes of float32. Errors: bad_input when the model's input does not have the images' shape.
Result<std::vector<std::int8_t>> model_inputs(const std::filesystem::path& model_path,
                                              const ImageSet& images, int count);

/// Runs the model over the validation and the test split of `data`, which has that fingerprint, and
/// writes into `directory`:
///   logits.bin        [images][outputs], the test split; int8 or float32
///   evaluation.json   the score of both splits (Score::json)
/// Errors: those of check_unchanged, reading, lowering, compiling and the link.
Status evaluate_on_host(const std::filesystem::path& model, const std::string& data,
                        const std::string& fingerprint, const std::filesystem::path& directory,
                        const std::function<void(double fraction)>& progress, std::stop_token stop);

}  // namespace assay
