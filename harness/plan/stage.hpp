// The stage graph: what has to be computed for a matrix, each thing once, and the key under which
// its result is cached. A key is known without running anything.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/json.hpp"

namespace assay {

enum class StageKind {
  import_model,    ///< a file that was trained elsewhere -> model.onnx
  train,           ///< a new or imported network, plain or distilled -> model.onnx, training.json
  prune,           ///< a trained network made sparse -> model.onnx, training.json
  cluster,         ///< its weights clustered -> model.onnx, training.json
  logits,          ///< a teacher's outputs on the training images -> logits.bin
  evaluate_torch,  ///< accuracy of any model as Torch computes it -> evaluation.json
  quantize,        ///< float model to its final form -> model.onnx, quantization.json
  evaluate,  ///< final model on the host target, all test images -> logits.bin, evaluation.json
  trial,     ///< final model: what every kernel costs its layers on one board type -> trial.json
  firmware,  ///< final model for one board type -> firmware.elf, firmware.map, firmware.json
};

std::string_view to_string(StageKind kind);
/// Run by the assay-train process (the others run inside assay).
bool runs_in_worker(StageKind kind);
/// A network may learn in it for long, and goes on after a stop where it was.
bool keeps_checkpoints(StageKind kind);

/// A file of an earlier stage.
struct StageInput {
  std::string name;   ///< "model", "teacher_logits"
  std::size_t stage;  ///< index into Plan::stages
  std::string file;   ///< "model.onnx"
};

/// A file that no stage makes: the user's. Its hash is among the stage's settings, which are in the
/// key; where it lies is not.
struct OutsideFile {
  std::string name;  ///< "file"
  std::filesystem::path path;
};

/// One node of the graph. Plain value.
struct Stage {
  StageKind kind = StageKind::train;
  std::string label;  ///< for people: "train cut4-width50_a0.5_T4_s1"
  std::string key;    ///< SHA-256 of everything the outputs depend on
  Json settings;      ///< what the stage is told, without paths
  std::vector<StageInput> inputs;
  /// On one core; for planning only, never in the key. Absent for a training whose network's shapes
  /// are not known.
  std::optional<double> estimated_seconds = 0;
  std::vector<OutsideFile> files = {};
};

/// What stages of a kind depend on besides settings and inputs: a hash of the sources that run
/// them.
std::string code_version(StageKind kind);
/// The same for taking a measurement on a board.
std::string measurement_code_version(bool virtual_board);
/// The same for the figures of a model that goes to no board.
std::string host_record_code_version();

/// Of all sources of this assay, for records; in no key.
std::string sources_version();

/// The builds of Torch and of the libraries it computes with: they change the bits of a network, so
/// they are part of its key, as threads and the pinned instruction set are through the stage's
/// settings.
Json training_environment();

/// Whether the sources that are compiled into firmware and host programs while assay runs are those
/// that assay was built from, as the stage keys say. Errors: infrastructure.
Status check_sources();

/// The key of a stage whose inputs have the given keys. `facts` is what else decides its outputs
/// (data set fingerprint, training environment, board type data).
std::string stage_key(const Stage& stage, const std::vector<Stage>& stages, const Json& facts);

}  // namespace assay
