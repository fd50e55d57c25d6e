// An integer network that comes from no file, through the whole way: generated code, firmware,
// flash, virtual board, logits checked against the reference interpreter.
#pragma once

#include <stop_token>
#include <string>

#include "boards/station/desk.hpp"
#include "targets/build/firmware.hpp"
#include "targets/build/generate.hpp"

namespace assay {

/// What is put on the board.
struct BenchOrder {
  std::string name;  ///< "conv 3x3 16->16 16x16", for messages
  const IntegerGraph& graph;
  KernelChoice kernels;
  std::size_t samples = 4;  ///< inputs whose logits are checked
};

struct BenchRun {
  GeneratedModel model;
  FirmwareImage image;
  BoardMeasurement measured;
  double instructions = 0;             ///< of one inference, counted
  std::optional<double> words_loaded;  ///< absent under Linux
  std::optional<double> cycles;        ///< modelled
};

/// Runs an image of a graph, in which the hash of its model is `model_hash`, on a board of the
/// desk. Errors: failed_verdict when a logit is not the interpreter's; those of the board.
Result<BoardMeasurement> run_image(const BenchOrder& order, const FirmwareImage& image,
                                   const std::string& model_hash, const Board& board, Desk& desk,
                                   std::stop_token stop);

/// Builds it and runs it on a virtual board of the desk. Errors: failed_verdict when it does not
/// fit or a logit is not the interpreter's; those of building and of the board.
Result<BenchRun> bench_graph(const BenchOrder& order, const Board& board, Desk& desk,
                             const std::filesystem::path& scratch_folder, std::stop_token stop);

}  // namespace assay
