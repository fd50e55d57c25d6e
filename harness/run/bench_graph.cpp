#include "harness/run/bench_graph.hpp"

#include <fmt/format.h>

#include <cstring>

#include "harness/core/file.hpp"
#include "targets/build/ram_layout.hpp"
#include "targets/graph/reference_run.hpp"

namespace assay {
namespace {

// Such code carries no ONNX file; its hash field is all zeros.
const std::string no_model(64, '0');

/// The bytes of inputs that reach every int8 value, as many int16 ones, or floats in [-1, 1); the
/// same in every run.
std::vector<std::int8_t> bench_inputs(const ActivationTensor& tensor, std::size_t samples) {
  std::vector<std::int8_t> inputs(static_cast<std::size_t>(tensor.bytes()) * samples);
  std::uint32_t state = 12345;
  for (std::size_t i = 0; i < inputs.size(); i += size_of(tensor.element)) {
    state = state * 1664525u + 1013904223u;  // Numerical Recipes' linear congruential generator
    const auto value = static_cast<std::int8_t>(state >> 24);
    const float real = static_cast<float>(value) / 128;
    const auto wide = static_cast<std::int16_t>(value * 256);
    if (tensor.element == Element::float32)
      std::memcpy(&inputs[i], &real, sizeof real);
    else if (tensor.element == Element::int16)
      std::memcpy(&inputs[i], &wide, sizeof wide);
    else
      inputs[i] = value;
  }
  return inputs;
}

MeasureRequest request_for(const BenchOrder& order, const FirmwareImage& image,
                           const std::string& model_hash) {
  MeasureRequest request;
  request.elf = image.elf;
  request.build_id = image.build_id;
  request.model_hash = model_hash;
  request.clock = image.clock;
  const IntegerGraph& graph = order.graph;
  const ActivationTensor& input = graph.tensors[static_cast<std::size_t>(graph.input)];
  const auto size = static_cast<std::size_t>(input.bytes());
  request.inputs = bench_inputs(input, order.samples);
  for (std::size_t i = 0; i < order.samples; ++i) {
    const auto logits = run_reference(graph, std::span(request.inputs).subspan(i * size, size));
    request.expected_logits.insert(request.expected_logits.end(), logits.begin(), logits.end());
  }
  return request;
}

}  // namespace

Result<BoardMeasurement> run_image(const BenchOrder& order, const FirmwareImage& image,
                                   const std::string& model_hash, const Board& board, Desk& desk,
                                   std::stop_token stop) {
  ASSAY_TRY(auto found,
            desk.measure(board, request_for(order, image, model_hash), std::move(stop)));
  if (found.identical_samples == found.samples) return found;
  return fail(ErrorKind::failed_verdict,
              fmt::format("{} on {}: the outputs differ from the host's", order.name, board.name));
}

Result<BenchRun> bench_graph(const BenchOrder& order, const Board& board, Desk& desk,
                             const std::filesystem::path& scratch_folder, std::stop_token stop) {
  BenchRun run;
  FirmwareRequest build;
  const Part& part = board.type.part;
  ASSAY_TRY(run.model, generate(order.graph, &part.core, no_model, order.kernels,
                                ram_layout(part, build.stack_reserve)));
  ASSAY_TRY(const auto scratch, ScratchDirectory::create(scratch_folder, "bench-"));
  build.model = run.model;
  build.board = board.type;
  build.output_directory = scratch.path();
  ASSAY_TRY(run.image, build_firmware(build, stop));
  ASSAY_TRY(run.measured, run_image(order, run.image, no_model, board, desk, stop));
  const BoardMeasurement& found = run.measured;
  if (!found.instructions || found.instructions->empty())
    return fail(ErrorKind::infrastructure,
                fmt::format("{} counted no instructions of {}", board.name, order.name));
  run.instructions = static_cast<double>(found.instructions->front().count());
  if (found.words_loaded && !found.words_loaded->empty())
    run.words_loaded = static_cast<double>(found.words_loaded->front());
  if (found.timing.cycles && !found.timing.cycles->empty())
    run.cycles = static_cast<double>(found.timing.cycles->front().count());
  return run;
}

}  // namespace assay
