// assay bench kernels: what a kernel costs, against the reference kernel and CMSIS-NN.
#include <fmt/core.h>

#include <memory>

#include "harness/cli/board_choice.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/project.hpp"
#include "harness/core/cycle_claim.hpp"
#include "harness/core/interrupt.hpp"
#include "harness/run/kernel_bench.hpp"

namespace assay::cli {
namespace {

struct Options {
  Project project;
  std::vector<std::string> on{"virtual:stm32f405", "virtual:stm32f030cc"};
  bool json = false;
};

Json figure_json(const std::string& board, const KernelFigure& figure, const CycleClaim& claim) {
  Json json{{"board", board},
            {"shape", figure.shape},
            {"kernel", figure.kernel},
            {"form", to_string(figure.form)},
            {"macs", figure.macs},
            {"instructions", figure.instructions},
            {"instructions_per_mac", figure.instructions / figure.macs},
            {"words_loaded", figure.words_loaded},
            {"words_loaded_per_mac", figure.words_loaded / figure.macs},
            {"cmsis_nn_instructions_per_mac", figure.cmsis_nn},
            {"code_bytes", figure.code_bytes},
            {"constant_bytes", figure.constant_bytes},
            {"scratch_bytes", figure.scratch_bytes}};
  if (figure.weights > 0) json["bytes_per_weight"] = figure.constant_bytes / figure.weights;
  if (figure.cycles) {
    json["cycles_per_mac"] = *figure.cycles * claim.factor / figure.macs;
    json["cycle_model"] = to_json(claim);
  }
  return json;
}

/// What the cycles of a board's kernels promise: each is a layer by itself.
Result<CycleClaim> claim_of(const Board& board, const Project& project) {
  ASSAY_TRY(const auto calibration, load_calibration(project.store, board.type.part));
  return cycle_claim(board.type.part, board.type.clock, Extent::layer, calibration);
}

void print_figures(const Board& board, const std::vector<KernelFigure>& figures,
                   const CycleClaim& claim) {
  fmt::print("{} ({}): instructions and words are counted, cycles are modelled at {:g} MHz, {}\n",
             board.name, board.type.part.core.name,
             static_cast<double>(board.type.clock.count()) / 1e6, band_text(claim));
  fmt::print("{:<26}  {:<22}  {:>9}  {:>8}  {:>9}  {:>10}  {:>9}  {:>11}  {:>7}  {:>7}\n", "shape",
             "kernel", "instr/MAC", "CMSIS-NN", "of CMSIS", "reference", "words/MAC", "~cycles/MAC",
             "code", "scratch");
  // The reference kernel's figure comes first for every shape.
  for (std::size_t i = 0; i + 1 < figures.size(); i += 2) {
    const auto& reference = figures[i];
    const auto& chosen = figures[i + 1];
    const double per_mac = chosen.instructions / chosen.macs;
    fmt::print(
        "{:<26}  {:<22}  {:>9.3f}  {:>8.3f}  {:>8.0f}%  {:>9.1f}x  {:>9.3f}  {:>11}  {:>6.0f}B  "
        "{:>6.0f}B\n",
        chosen.shape, chosen.kernel, per_mac, chosen.cmsis_nn, 100 * per_mac / chosen.cmsis_nn,
        reference.instructions / chosen.instructions, chosen.words_loaded / chosen.macs,
        chosen.cycles ? fmt::format("{:.3f}", *chosen.cycles * claim.factor / chosen.macs) : "-",
        chosen.code_bytes, chosen.scratch_bytes);
  }
  fmt::print("~cycles: {}\n\n", to_text(claim));
}

Result<int> run(const Options& options) {
  Json json = Json::array();
  for (const auto& name : options.on) {
    ASSAY_TRY(const auto board, choose_board(name, options.project.boards));
    ASSAY_TRY(const auto claim, claim_of(board, options.project));
    ASSAY_TRY(const auto figures,
              bench_kernels(board, options.project.cache / "scratch", install_interrupt_handler()));
    for (const auto& figure : figures)
      json.push_back(figure_json(board.name, figure, claim));
    if (!options.json) print_figures(board, figures, claim);
  }
  if (options.json)
    fmt::print("{}\n", json.dump(2));
  else
    fmt::print(
        "CMSIS-NN: commit 99f736a6, GCC 12.2 -O3, same shapes, counted the same way; "
        "\"reference\" is how many times fewer\ninstructions than our portable reference "
        "kernel.\n");
  return 0;
}

}  // namespace

Action declare_bench(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.require_subcommand(1);
  app.fallthrough();
  auto* kernels = app.add_subcommand("kernels", "Instructions and cycles per MAC of every kernel");
  kernels->add_option("--on", options->on, "Boards: virtual:<part>")->capture_default_str();
  kernels->add_flag("--json", options->json, "Machine-readable");
  options->project.add_store(*kernels);
  options->project.add_boards(*kernels);
  options->project.add_cache(*kernels);
  return [options] { return run(*options); };
}

}  // namespace assay::cli
