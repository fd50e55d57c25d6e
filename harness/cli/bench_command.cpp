// assay bench: what kernels cost, against the reference kernel and CMSIS-NN, and what whole
// networks cost, beside published figures.
#include <fmt/core.h>

#include <memory>

#include "harness/cli/board_choice.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/goal_options.hpp"
#include "harness/cli/project.hpp"
#include "harness/core/calibration_file.hpp"
#include "harness/core/cycle_claim.hpp"
#include "harness/core/interrupt.hpp"
#include "harness/run/kernel_bench.hpp"
#include "harness/run/network_bench.hpp"
#include "targets/pack/form_support.hpp"

namespace assay::cli {
namespace {

struct Options {
  Project project;
  std::vector<std::string> on;
  std::string shape;
  std::vector<std::string> networks;
  std::optional<std::uint64_t> ram_budget;
  bool json = false;
};

Json figure_json(const std::string& board, const KernelFigure& figure, const CycleClaim& claim) {
  Json json{{"board", board},
            {"shape", figure.shape},
            {"kernel", figure.kernel},
            {"form", to_string(figure.form)},
            {"arithmetic", to_string(figure.element)},
            {"macs", figure.macs},
            {"instructions", figure.instructions},
            {"instructions_per_mac", figure.instructions / figure.macs},
            {"code_bytes", figure.code_bytes},
            {"constant_bytes", figure.constant_bytes},
            {"scratch_bytes", figure.scratch_bytes}};
  if (figure.words_loaded) {
    json["words_loaded"] = *figure.words_loaded;
    json["words_loaded_per_mac"] = *figure.words_loaded / figure.macs;
  }
  if (figure.cmsis_nn) json["cmsis_nn_instructions_per_mac"] = *figure.cmsis_nn;
  if (figure.weights > 0) json["bytes_per_weight"] = figure.constant_bytes / figure.weights;
  if (figure.cycles) {
    json["cycles_per_mac"] = *figure.cycles * claim.factor / figure.macs;
    json["cycle_model"] = to_json(claim);
  }
  return json;
}

/// What cycles of a board promise: a kernel is a layer by itself.
Result<CycleClaim> claim_of(const Board& board, const Project& project, Extent extent) {
  ASSAY_TRY(const auto calibration, load_calibration(project.store, board.type.part));
  return cycle_claim(board.type.part, board.type.clock, extent, calibration);
}

/// Three digits, or a dash where there is no figure.
std::string text_of(std::optional<double> figure) {
  return figure ? fmt::format("{:.3f}", *figure) : "-";
}

std::optional<double> times(std::optional<double> figure, double factor) {
  return figure ? std::optional(*figure * factor) : std::nullopt;
}

void print_figures(const Board& board, const std::vector<KernelFigure>& figures,
                   const CycleClaim& claim) {
  const bool modelled = !board.type.part.runs_linux();
  fmt::print("{} ({}): instructions and words are counted", board.name, board.type.part.core.name);
  if (modelled)
    fmt::print(", cycles are modelled at {:g} MHz, {}",
               static_cast<double>(board.type.clock.count()) / 1e6, band_text(claim));
  fmt::print("\n{:<33}  {:<27}  {:>9}  {:>8}  {:>9}  {:>10}  {:>9}  {:>11}  {:>7}  {:>7}  {:>8}\n",
             "shape", "kernel", "instr/MAC", "CMSIS-NN", "of CMSIS", "reference", "words/MAC",
             "~cycles/MAC", "code", "scratch", "B/weight");
  // The reference kernel's figure comes first for every shape.
  for (std::size_t i = 0; i + 1 < figures.size(); i += 2) {
    const auto& reference = figures[i];
    const auto& chosen = figures[i + 1];
    const double per_mac = chosen.instructions / chosen.macs;
    fmt::print(
        "{:<33}  {:<27}  {:>9.3f}  {:>8}  {:>9}  {:>9.1f}x  {:>9}  {:>11}  {:>6.0f}B  {:>6.0f}B  "
        "{:>8.2f}\n",
        chosen.shape, chosen.kernel, per_mac, text_of(chosen.cmsis_nn),
        chosen.cmsis_nn ? fmt::format("{:.0f}%", 100 * per_mac / *chosen.cmsis_nn) : "-",
        reference.instructions / chosen.instructions,
        text_of(times(chosen.words_loaded, 1 / chosen.macs)),
        text_of(times(chosen.cycles, claim.factor / chosen.macs)), chosen.code_bytes,
        chosen.scratch_bytes, chosen.constant_bytes / chosen.weights);
  }
  fmt::print("{}\n", modelled ? fmt::format("~cycles: {}\n", to_text(claim)) : "");
}

Result<int> run_kernels(const Options& options) {
  Json json = Json::array();
  for (const auto& name : options.on) {
    ASSAY_TRY(const auto board, choose_board(name, options.project.boards));
    ASSAY_TRY(const auto claim, claim_of(board, options.project, Extent::layer));
    ASSAY_TRY(const auto figures,
              bench_kernels(board, options.shape, options.project.cache / "scratch",
                            install_interrupt_handler()));
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

double milliseconds(double cycles, const Board& board) {
  return cycles * 1000 / static_cast<double>(board.type.clock.count());
}

Json published_json(const Board& board, const std::string& network) {
  Json list = Json::array();
  for (const PublishedFigure& figure : published_figures()) {
    if (figure.network != network || figure.part != board.type.part.name) continue;
    Json json{
        {"stack", figure.stack}, {"latency_ms", figure.milliseconds}, {"source", figure.source}};
    if (figure.ram_kib > 0) json["ram_kib"] = figure.ram_kib;
    if (figure.flash_kib > 0) json["flash_kib"] = figure.flash_kib;
    list.push_back(std::move(json));
  }
  return list;
}

Json network_json(const Board& board, const NetworkFigure& figure, const CycleClaim& claim) {
  Json json{{"board", board.name},
            {"network", figure.network},
            {"macs", figure.macs},
            {"published", published_json(board, figure.network)}};
  if (!figure.misfit.empty()) {
    json["misfit"] = figure.misfit;
    return json;
  }
  json["instructions"] = figure.instructions;
  if (figure.words_loaded) json["words_loaded"] = *figure.words_loaded;
  json["rom_bytes"] = figure.rom_bytes;
  json["rom_weights_bytes"] = figure.rom_weights_bytes;
  if (figure.ram_stack_bytes) {
    json["ram_bytes"] = *figure.ram_bytes();
    json["ram_model_bytes"] = *figure.ram_model_bytes();
    json["ram_stack_bytes"] = *figure.ram_stack_bytes;
  }
  json["ram_arena_bytes"] = figure.ram_arena_bytes;
  json["ram_static_bytes"] = figure.ram_static_bytes;
  json["ram_arena_bound_bytes"] = figure.ram_arena_bound_bytes;
  if (figure.strips)
    json["strips"] = {{"first_layer", figure.strips->first},
                      {"last_layer", figure.strips->last},
                      {"rows", figure.strips->rows},
                      {"because", figure.strips_because}};
  if (figure.cycles) {
    json["cycles"] = *figure.cycles * claim.factor;
    json["latency_ms"] = milliseconds(*figure.cycles * claim.factor, board);
    json["cycle_model"] = to_json(claim);
  }
  return json;
}

/// "; layers 0 to 3 in strips of 1: the layers as a whole need ...", or nothing.
std::string strips_text(const NetworkFigure& figure) {
  if (!figure.strips) return "";
  return fmt::format("; layers {} to {} in strips of {}: {}", figure.strips->first,
                     figure.strips->last, figure.strips->rows, figure.strips_because);
}

std::string published_text(const Board& board, const std::string& network) {
  std::string text;
  for (const PublishedFigure& figure : published_figures()) {
    if (figure.network != network || figure.part != board.type.part.name) continue;
    text +=
        fmt::format("{}{:g} ms {}", text.empty() ? "" : "; ", figure.milliseconds, figure.stack);
    if (figure.ram_kib > 0) text += fmt::format(", RAM {:g} KiB", figure.ram_kib);
    if (figure.flash_kib > 0) text += fmt::format(", ROM {:g} KiB", figure.flash_kib);
  }
  return text;
}

std::string bytes_text(std::optional<double> bytes) {
  return bytes ? fmt::format("{:.0f}B", *bytes) : "-";
}

void print_networks(const Board& board, const std::vector<NetworkFigure>& figures,
                    const CycleClaim& claim) {
  const bool modelled = !board.type.part.runs_linux();
  fmt::print("{} ({}): dense int8; instructions and bytes are counted", board.name,
             board.type.part.core.name);
  if (modelled)
    fmt::print(", latency is modelled at {:g} MHz, {}",
               static_cast<double>(board.type.clock.count()) / 1e6, band_text(claim));
  fmt::print("\n");
  fmt::print("{:<20}  {:>10}  {:>12}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}  {:>10}  {}\n", "network",
             "MACC", "instructions", "instr/MAC", "ROM", "arena", "RAM model", "flashed",
             "~latency", "published, on silicon");
  for (const NetworkFigure& figure : figures) {
    if (!figure.misfit.empty()) {
      fmt::print("{:<20}  {:>10.0f}  {}\n", figure.network, figure.macs, figure.misfit);
      continue;
    }
    fmt::print(
        "{:<20}  {:>10.0f}  {:>12.0f}  {:>9.3f}  {:>8.0f}B  {:>8.0f}B  {:>9}  {:>9}  {:>10}  "
        "{}{}\n",
        figure.network, figure.macs, figure.instructions, figure.instructions / figure.macs,
        figure.rom_bytes, figure.ram_arena_bytes, bytes_text(figure.ram_model_bytes()),
        bytes_text(figure.ram_bytes()),
        figure.cycles ? fmt::format("{:.2f}ms", milliseconds(*figure.cycles * claim.factor, board))
                      : "-",
        published_text(board, figure.network), strips_text(figure));
  }
  if (modelled) fmt::print("~latency: {}\n", to_text(claim));
  fmt::print("\n");
}

std::optional<Bytes> budget_of(const Options& options) {
  return options.ram_budget ? std::optional(Bytes(*options.ram_budget)) : std::nullopt;
}

Result<int> run_networks(const Options& options) {
  Json json = Json::array();
  for (const auto& name : options.on) {
    ASSAY_TRY(const auto board, choose_board(name, options.project.boards));
    ASSAY_TRY(const auto claim, claim_of(board, options.project, Extent::network));
    ASSAY_TRY(const auto figures,
              bench_networks_on(board, options.networks, budget_of(options),
                                options.project.cache / "scratch", install_interrupt_handler()));
    for (const auto& figure : figures)
      json.push_back(network_json(board, figure, claim));
    if (!options.json) print_networks(board, figures, claim);
  }
  if (options.json)
    fmt::print("{}\n", json.dump(2));
  else
    fmt::print(
        "RAM model: arena and stack, what the network needs in a firmware of one's own; flashed: "
        "with the harness's buffers.\nWeights are initial ones, which cost what trained ones do. "
        "Published figures are "
        "measurements on silicon: MLPerf\nTiny's results, ST's model zoo, the source thesis "
        "(--json names each).\n");
  return 0;
}

Result<int> print_forms() {
  ASSAY_TRY(const auto table, forms_table());
  fmt::print("{}", table);
  return 0;
}

}  // namespace

Action declare_bench(CLI::App& app) {
  auto kernels = std::make_shared<Options>();
  auto networks = std::make_shared<Options>();
  kernels->on = {"virtual:stm32f405", "virtual:stm32f030cc"};
  networks->on = {"virtual:stm32f405"};
  app.require_subcommand(1);
  app.fallthrough();
  const auto declare = [&](const std::shared_ptr<Options>& options, const char* name,
                           const char* help) {
    auto* command = app.add_subcommand(name, help);
    command->add_option("--on", options->on, "Boards: virtual:<part>")->capture_default_str();
    command->add_flag("--json", options->json, "Machine-readable");
    options->project.add_store(*command);
    options->project.add_boards(*command);
    options->project.add_cache(*command);
    return command;
  };
  declare(kernels, "kernels", "Instructions and cycles per MAC of every kernel")
      ->add_option("--shape", kernels->shape, "Only shapes with this in their name, say int16");
  auto* whole =
      declare(networks, "networks", "Whole networks in dense int8, beside published figures");
  whole->add_option("--network", networks->networks, "Only these")->delimiter(',');
  whole->add_option("--ram-budget", networks->ram_budget, ram_budget_help)
      ->check(GoalOptions::whole_number);
  auto* forms = app.add_subcommand("forms", "Which forms of weights every core has kernels of");
  return [kernels, networks, whole, forms] {
    if (forms->parsed()) return print_forms();
    return whole->parsed() ? run_networks(*networks) : run_kernels(*kernels);
  };
}

}  // namespace assay::cli
