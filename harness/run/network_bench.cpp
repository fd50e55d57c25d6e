#include "harness/run/network_bench.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/run/bench_graph.hpp"
#include "targets/pack/strip_deployment.hpp"

namespace assay {
namespace {

Result<std::vector<BenchNetwork>> select(const std::vector<std::string>& names) {
  std::vector<BenchNetwork> selected;
  std::vector<std::string_view> known;
  for (const BenchNetwork& network : bench_networks()) {
    known.push_back(network.name);
    if (names.empty() || std::ranges::find(names, network.name) != names.end())
      selected.push_back(network);
  }
  for (const std::string& name : names)
    if (std::ranges::find(known, name) == known.end())
      return fail(ErrorKind::bad_input, fmt::format("no network is named \"{}\"; there are {}",
                                                    name, fmt::join(known, ", ")));
  return selected;
}

bool does_not_fit(const Error& error) {
  return error.kind == ErrorKind::failed_verdict &&
         error.message.find("does not fit") != std::string::npos;
}

NetworkFigure figure_of(const BenchRun& run) {
  NetworkFigure figure;
  const auto bytes = [](Bytes value) { return static_cast<double>(value.count()); };
  figure.instructions = run.instructions;
  figure.words_loaded = run.words_loaded;
  figure.cycles = run.cycles;
  figure.rom_bytes = bytes(run.image.rom);
  figure.rom_weights_bytes = bytes(run.image.rom_weights);
  figure.ram_arena_bytes = bytes(run.image.ram_arena);
  figure.ram_arena_bound_bytes = bytes(run.model.arena_lower_bound);
  if (const auto& stack = run.measured.timing.stack_high_water)
    figure.ram_stack_bytes = bytes(*stack);
  figure.ram_static_bytes = bytes(run.image.ram_static);
  return figure;
}

/// The first kernels, in strips where the budget asks for them.
Result<KernelChoice> kernels_in(const IntegerGraph& graph, const Core& core, Bytes ram_budget) {
  const KernelChoice choice = choose_in_room(graph, core, {ram_budget, {}});
  ASSAY_TRY(const auto deployment, deploy(graph, &core, choice));
  const Bytes arena = deployment.memory.arena_bytes;
  if (arena > ram_budget) return fail(ErrorKind::bad_input, over_budget(arena, ram_budget));
  return choice;
}

}  // namespace

Result<std::vector<NetworkFigure>> bench_networks_on(const Board& board,
                                                     const std::vector<std::string>& names,
                                                     std::optional<Bytes> ram_budget,
                                                     const std::filesystem::path& scratch_folder,
                                                     std::stop_token stop) {
  if (!board.virtual_board)
    return fail(ErrorKind::bad_input,
                fmt::format("{} cannot count instructions: bench networks needs a virtual board",
                            board.name));
  ASSAY_TRY(const auto networks, select(names));
  ASSAY_TRY(auto desk, Desk::open({board}, scratch_folder / "locks"));
  std::vector<NetworkFigure> figures;
  for (const BenchNetwork& network : networks) {
    ASSAY_TRY(const auto graph, bench_network_graph(network));
    BenchOrder order{std::string(network.name), graph, {}, 2};
    Result<KernelChoice> kernels{KernelChoice{}};
    if (ram_budget) kernels = kernels_in(graph, board.type.part.core, *ram_budget);
    if (!kernels && networks.size() == 1) return tl::unexpected(kernels.error());
    if (kernels) order.kernels = *kernels;
    const auto run = kernels ? bench_graph(order, board, desk, scratch_folder, stop)
                             : tl::unexpected(kernels.error());
    if (kernels && !run && !does_not_fit(run.error())) return tl::unexpected(run.error());
    NetworkFigure figure = run ? figure_of(*run) : NetworkFigure{};
    if (!run) figure.misfit = run.error().message;
    figure.network = network.name;
    figure.strips = order.kernels.strips;
    for (const IntegerLayer& layer : graph.layers)
      figure.macs += static_cast<double>(layer.macs.count());
    figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace assay
