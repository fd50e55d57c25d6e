#include "harness/run/kernel_bench.hpp"

#include <fmt/format.h>

#include "harness/core/file.hpp"
#include "targets/build/firmware.hpp"
#include "targets/build/generate.hpp"
#include "targets/graph/reference_run.hpp"
#include "targets/pack/bench_shapes.hpp"

namespace assay {
namespace {

constexpr std::size_t verified_inputs = 4;
constexpr std::uint32_t graph_seed = 1;
// The code of a benchmark carries no ONNX file; its hash field is all zeros.
const std::string no_model(64, '0');

/// Inputs that reach every int8 value, the same in every run.
std::vector<std::int8_t> bench_inputs(std::int64_t size) {
  std::vector<std::int8_t> inputs(static_cast<std::size_t>(size) * verified_inputs);
  std::uint32_t state = 12345;
  for (auto& value : inputs) {
    state = state * 1664525u + 1013904223u;  // Numerical Recipes' linear congruential generator
    value = static_cast<std::int8_t>(state >> 24);
  }
  return inputs;
}

double cmsis_nn_of(const BenchShape& shape, const Core& core) {
  return core.dsp ? shape.cmsis_nn_m4 : shape.cmsis_nn_m0;
}

Result<KernelFigure> bench_one(const BenchShape& shape, const IntegerGraph& graph,
                               const KernelChoice& choice, const Board& board, Desk& desk,
                               const std::filesystem::path& scratch_folder, std::stop_token stop) {
  ASSAY_TRY(const auto model, generate(graph, &board.type.part.core, no_model, choice));
  ASSAY_TRY(const auto scratch, ScratchDirectory::create(scratch_folder, "bench-"));
  FirmwareRequest build;
  build.model = model;
  build.board = board.type;
  build.output_directory = scratch.path();
  ASSAY_TRY(const auto image, build_firmware(build, stop));

  MeasureRequest request;
  request.elf = image.elf;
  request.build_id = image.build_id;
  request.model_hash = no_model;
  request.clock = image.clock;
  const auto input_size = graph.tensors[static_cast<std::size_t>(graph.input)].size();
  request.inputs = bench_inputs(input_size);
  for (std::size_t i = 0; i < verified_inputs; ++i) {
    const auto logits = run_reference(graph, std::span(request.inputs)
                                                 .subspan(i * static_cast<std::size_t>(input_size),
                                                          static_cast<std::size_t>(input_size)));
    request.expected_logits.insert(request.expected_logits.end(), logits.begin(), logits.end());
  }
  ASSAY_TRY(const auto found, desk.measure(board, request, stop));
  const auto& layer = model.layers.front();
  if (found.identical_samples != found.samples)
    return fail(
        ErrorKind::failed_verdict,
        fmt::format("{} on {}: the outputs differ from the host's", layer.kernel, shape.name));
  if (!found.instructions || found.instructions->empty())
    return fail(ErrorKind::infrastructure,
                fmt::format("{} counted no instructions of {}", board.name, shape.name));
  KernelFigure figure;
  figure.shape = shape.name;
  figure.kernel = layer.kernel;
  figure.macs = static_cast<double>(layer.macs.count());
  figure.instructions = static_cast<double>(found.instructions->front().count());
  if (found.words_loaded && !found.words_loaded->empty())
    figure.words_loaded = static_cast<double>(found.words_loaded->front());
  if (found.timing.cycles && !found.timing.cycles->empty())
    figure.cycles = static_cast<double>(found.timing.cycles->front().count());
  figure.code_bytes = static_cast<double>(image.rom_code.count());
  figure.form = shape.form;
  figure.weights = static_cast<double>(graph.layers.front().weights.size());
  figure.constant_bytes = static_cast<double>(layer.constants.count());
  figure.scratch_bytes = static_cast<double>(layer.scratch.count());
  figure.cmsis_nn = cmsis_nn_of(shape, board.type.part.core);
  return figure;
}

}  // namespace

Result<std::vector<KernelFigure>> bench_kernels(const Board& board,
                                                const std::filesystem::path& scratch_folder,
                                                std::stop_token stop) {
  if (!board.virtual_board)
    return fail(ErrorKind::bad_input,
                fmt::format("{} cannot count instructions: bench kernels needs a virtual board",
                            board.name));
  ASSAY_TRY(auto desk, Desk::open({board}, scratch_folder / "locks"));
  std::vector<KernelFigure> figures;
  for (const auto& shape : bench_shapes()) {
    const auto graph = single_layer_graph(shape.shape, graph_seed, shape.fill);
    const LayerView view(graph, graph.layers.front());
    const Core& core = board.type.part.core;
    const KernelRow* kernel = shape.kernel.empty() ? find_kernel(view, core, shape.form)
                                                   : find_kernel_named(view, core, shape.kernel);
    if (!kernel) continue;
    for (const KernelRow* row : {&reference_kernel(shape.shape.op), kernel}) {
      const KernelChoice choice{.force_kernel = std::string(row->name)};
      ASSAY_TRY(auto figure, bench_one(shape, graph, choice, board, desk, scratch_folder, stop));
      figures.push_back(std::move(figure));
    }
  }
  return figures;
}

}  // namespace assay
