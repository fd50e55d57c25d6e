// The plan of a matrix: cells, the stages behind them, what is cached, and whether models fit.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "compress/data/dataset.hpp"
#include "harness/plan/matrix.hpp"
#include "harness/plan/stage.hpp"

namespace assay {

/// The stages of one configuration, as indices into Plan::stages.
struct ConfigStages {
  std::vector<std::size_t> learned;  ///< the stages that train it, in order
  std::size_t float_model = 0;       ///< the last of them before quantization
  std::size_t evaluate_float = 0;    ///< of that model
  std::size_t quantize = 0;
  std::size_t evaluate = 0;      ///< of the quantized model
  bool integer_kernels = false;  ///< evaluated with the device's kernels; otherwise with Torch
  std::optional<std::size_t> teacher_evaluate_float;  ///< of a distilled student's teacher
};

/// One configuration on one board type.
struct Cell {
  std::size_t config = 0;    ///< index into Plan::configs
  std::size_t target = 0;    ///< index into Matrix::deploy.on
  std::size_t firmware = 0;  ///< index into Plan::stages
  std::string label;         ///< "cut4-width50_a0.5_T4_s1@olimex-stm32-h405"
  std::string cell_id;
  std::string measurement_key;  ///< what the record of this cell is found by
};

/// Everything known before anything runs.
struct Plan {
  Matrix matrix;
  Expansion expansion;
  std::vector<ConfigStages> configs;  ///< one per Expansion::configs
  std::vector<Stage> stages;          ///< inputs before users
  std::vector<Cell> cells;
};

/// Builds the stage graph. A file that a student starts from is hashed, and read where that can be
/// done without Torch. Errors: bad_input when a network cannot be built or read, or a TorchScript
/// file is to be deployed.
Result<Plan> make_plan(Matrix matrix);

/// What an evaluation on the host depends on beside the model: the data and the host's compiler.
Json evaluation_facts(const DatasetInfo& data);

/// The content of the files that describe a board type, its part and its core, and the build of the
/// cross compiler: firmware depends on them. Errors: bad_input.
Result<Json> hardware_facts(const BoardType& type);

}  // namespace assay
