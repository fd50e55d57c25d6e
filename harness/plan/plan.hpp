// The plan of a matrix: cells, the stages behind them, what is cached, and whether models fit.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compress/data/dataset.hpp"
#include "harness/core/calibration.hpp"
#include "harness/plan/expansion.hpp"
#include "harness/plan/stage.hpp"

namespace assay {

/// The stages of one configuration, as indices into Plan::stages.
struct ConfigStages {
  std::vector<std::size_t> learned;  ///< the stages that train it, in order
  std::size_t float_model = 0;       ///< the last of them before quantization
  std::size_t evaluate_float = 0;    ///< of that model
  std::size_t quantize = 0;
  std::size_t evaluate = 0;  ///< of the quantized model
  /// Why the device's kernels cannot compute the quantized model, which is then evaluated with
  /// Torch and goes to no board; empty when they can.
  std::string missing_kernel;
  std::optional<std::size_t> teacher_evaluate_float;  ///< of a distilled student's teacher
};

/// What takes a configuration to a board type.
struct Placement {
  std::size_t target = 0;    ///< index into Matrix::deploy.on
  std::size_t firmware = 0;  ///< index into Plan::stages
};

/// One configuration on one board type, or on the host alone.
struct Cell {
  std::size_t config = 0;              ///< index into Plan::configs
  std::optional<Placement> placement;  ///< absent: its record has what needs no board
  std::string label;  ///< "cut4-width50_a0.5_T4_s1@olimex-stm32-h405", "conv5_s1@host"
  std::string cell_id;
  std::string measurement_key;  ///< what the record of this cell is found by
};

/// What a selection has come to so far.
struct Choice {
  std::size_t groups = 0;      ///< with more than one candidate
  std::size_t undecided = 0;   ///< of those, because not everything in them has a record yet
  std::set<std::size_t> best;  ///< configurations chosen from several; indices into Plan::configs
};

/// Everything known before anything runs.
struct Plan {
  Matrix matrix;
  Expansion expansion;
  std::vector<ConfigStages> configs;  ///< one per Expansion::configs
  std::vector<Stage> stages;          ///< inputs before users
  std::vector<Cell> cells;
  Choice choice;              ///< empty without a selection
  Calibrations calibrations;  ///< of the parts it goes to, for modelled cycles
};

/// What a selection goes by, of the configuration whose record on the host has this key; nothing
/// while there is no such record.
using Scores = std::function<std::optional<double>(const std::string& host_key)>;

/// Builds the stage graph and places the cells, as if nothing were recorded. A file that a student
/// starts from is hashed, and read where that can be done without Torch. Errors: bad_input when a
/// network cannot be built or read, or shall go to a board that has no kernels for it.
///
/// `calibrations`: those of the user's project, part of the identity of modelled figures.
Result<Plan> make_plan(Matrix matrix, Calibrations calibrations = {});

/// Places the cells anew, from what is known by now: the configurations of a group go to the boards
/// when all its candidates have scores and theirs is the highest (the mean over the seeds; the
/// first of equals), and every configuration that goes to no board has one cell on the host.
/// Without a selection everything goes to the boards. Errors: bad_input when a board type's files
/// cannot be read.
Status place_cells(Plan& plan, const Scores& scores);

/// The key of a configuration's record on the host, whether it has such a cell now or not.
std::string host_key(const Plan& plan, std::size_t config);

/// The calibration of a part, where the plan has one.
std::optional<Calibration> calibration_of(const Plan& plan, const Part& part);

/// What an evaluation on the host depends on beside the model: the data and the host's compiler.
Json evaluation_facts(const DatasetInfo& data);

/// The content of the files that describe a board type, its part and its core, and the build of the
/// cross compiler: firmware depends on them. Errors: bad_input.
Result<Json> hardware_facts(const BoardType& type);

}  // namespace assay
