#include "harness/run/kernel_bench.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/run/bench_graph.hpp"
#include "targets/pack/bench_shapes.hpp"

namespace assay {
namespace {

constexpr std::uint32_t graph_seed = 1;

/// Where CMSIS-NN was counted: a Cortex-M0+ executes what a Cortex-M0 does.
std::optional<double> cmsis_nn_of(const BenchShape& shape, const Core& core) {
  if (core.architecture == "armv6-m") return shape.cmsis_nn_m0;
  if (core.name == "cortex-m4f") return shape.cmsis_nn_m4;
  if (core.name == "cortex-m7") return shape.cmsis_nn_m7;
  return std::nullopt;
}

Result<KernelFigure> bench_one(const BenchShape& shape, const IntegerGraph& graph,
                               const KernelChoice& choice, const Board& board, Desk& desk,
                               const std::filesystem::path& scratch_folder, std::stop_token stop) {
  const BenchOrder order{fmt::format("{}, {}", shape.name, *choice.force_kernel), graph, choice};
  ASSAY_TRY(const auto run, bench_graph(order, board, desk, scratch_folder, stop));
  const auto& layer = run.model.layers.front();
  KernelFigure figure;
  figure.shape = shape.name;
  figure.kernel = layer.kernel;
  figure.macs = static_cast<double>(layer.macs.count());
  figure.instructions = run.instructions;
  figure.words_loaded = run.words_loaded;
  figure.cycles = run.cycles;
  figure.code_bytes = static_cast<double>(run.image.rom_code.count());
  figure.form = shape.form;
  figure.element = shape.shape.element;
  figure.weights = static_cast<double>(graph.layers.front().weights.size());
  figure.constant_bytes = static_cast<double>(layer.constants.count());
  figure.scratch_bytes = static_cast<double>(layer.scratch.count());
  figure.cmsis_nn = cmsis_nn_of(shape, board.type.part.core);
  return figure;
}

}  // namespace

Result<std::vector<KernelFigure>> bench_kernels(const Board& board, std::string_view only,
                                                const std::filesystem::path& scratch_folder,
                                                std::stop_token stop) {
  if (!board.virtual_board)
    return fail(ErrorKind::bad_input,
                fmt::format("{} cannot count instructions: bench kernels needs a virtual board",
                            board.name));
  const auto asked_for = [only](const BenchShape& shape) {
    return shape.name.find(only) != std::string_view::npos;
  };
  if (std::ranges::none_of(bench_shapes(), asked_for))
    return fail(
        ErrorKind::bad_input,
        fmt::format("no benchmark shape has \"{}\" in its name: bench kernels without --shape "
                    "prints them all",
                    only));
  ASSAY_TRY(auto desk, Desk::open({board}, scratch_folder / "locks"));
  std::vector<KernelFigure> figures;
  for (const auto& shape : bench_shapes()) {
    if (!asked_for(shape)) continue;
    const auto graph = single_layer_graph(shape.shape, graph_seed, shape.fill);
    const LayerView view(graph, graph.layers.front());
    const Core& core = board.type.part.core;
    const KernelRow* kernel = shape.kernel.empty() ? find_kernel(view, core, shape.form)
                                                   : find_kernel_named(view, core, shape.kernel);
    if (!kernel) continue;
    for (const KernelRow* row : {&reference_kernel(view), kernel}) {
      const KernelChoice choice{.force_kernel = std::string(row->name)};
      ASSAY_TRY(auto figure, bench_one(shape, graph, choice, board, desk, scratch_folder, stop));
      figures.push_back(std::move(figure));
    }
  }
  return figures;
}

}  // namespace assay
