#include "harness/run/network_bench.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/run/bench_graph.hpp"
#include "targets/build/ram_layout.hpp"
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

NetworkFigure introduce(const BenchNetwork& network, const IntegerGraph& graph) {
  NetworkFigure figure;
  figure.network = network.name;
  for (const IntegerLayer& layer : graph.layers)
    figure.macs += static_cast<double>(layer.macs.count());
  return figure;
}

void add_run(const BenchRun& run, NetworkFigure& figure) {
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
}

/// The first kernels, in strips where the part's RAM or the budget has no room for the whole.
Result<KernelChoice> kernels_in(const IntegerGraph& graph, const Part& part,
                                std::optional<Bytes> ram_budget) {
  const Core& core = part.core;
  const KernelChoice choice =
      choose_in_room(graph, core, ram_room(part, FirmwareRequest().stack_reserve, ram_budget));
  ASSAY_TRY(const auto deployment, deploy(graph, &core, choice));
  const Bytes arena = deployment.memory.arena_bytes;
  if (ram_budget && arena > *ram_budget)
    return fail(ErrorKind::bad_input, over_budget(arena, *ram_budget));
  return choice;
}

/// Why a network got strips.
Result<std::string> reason_of(const KernelChoice& choice, const IntegerGraph& graph,
                              const Core& core, std::optional<Bytes> ram_budget) {
  if (!choice.strips) return "";
  ASSAY_TRY(const auto whole, deploy(graph, &core));
  return why_strips(whole.memory.arena_bytes, ram_budget);
}

/// What all networks are measured with.
struct Bench {
  const Board& board;
  Desk& desk;
  std::optional<Bytes> ram_budget;
  const std::filesystem::path& scratch_folder;
};

/// Errors: bad_input where no strips keep the budget; failed_verdict where it does not fit.
Result<NetworkFigure> measure(const BenchNetwork& network, const IntegerGraph& graph,
                              const Bench& bench, std::stop_token stop) {
  const Part& part = bench.board.type.part;
  ASSAY_TRY(const auto kernels, kernels_in(graph, part, bench.ram_budget));
  const BenchOrder order{std::string(network.name), graph, kernels, 2};
  ASSAY_TRY(const auto run,
            bench_graph(order, bench.board, bench.desk, bench.scratch_folder, std::move(stop)));
  NetworkFigure figure = introduce(network, graph);
  add_run(run, figure);
  figure.strips = kernels.strips;
  ASSAY_TRY(figure.strips_because, reason_of(kernels, graph, part.core, bench.ram_budget));
  return figure;
}

/// The same, where a network among others that is too large has a figure that says so.
Result<NetworkFigure> measure_or_misfit(const BenchNetwork& network, const Bench& bench,
                                        bool among_others, std::stop_token stop) {
  ASSAY_TRY(const auto graph, bench_network_graph(network));
  auto measured = measure(network, graph, bench, std::move(stop));
  if (measured) return measured;
  const bool over_budget = measured.error().kind == ErrorKind::bad_input;
  if (!does_not_fit(measured.error()) && !(over_budget && among_others)) return measured;
  NetworkFigure figure = introduce(network, graph);
  figure.misfit = measured.error().message;
  return figure;
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
  const Bench bench{board, desk, ram_budget, scratch_folder};
  std::vector<NetworkFigure> figures;
  for (const BenchNetwork& network : networks) {
    ASSAY_TRY(auto figure, measure_or_misfit(network, bench, networks.size() > 1, stop));
    figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace assay
