// Whole networks on a virtual board: dense int8, with what others published beside it.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "boards/station/desk.hpp"
#include "harness/run/bench_networks.hpp"
#include "targets/graph/strips.hpp"

namespace assay {

/// One network on one part.
struct NetworkFigure {
  std::string network;
  double macs = 0;          ///< nominal, of one inference
  std::string misfit;       ///< why it does not fit; then all below is absent
  double instructions = 0;  ///< of one inference, counted
  std::optional<double> words_loaded;
  std::optional<double> cycles;  ///< modelled
  double rom_bytes = 0;
  double rom_weights_bytes = 0;
  double ram_arena_bytes = 0;
  std::optional<double> ram_stack_bytes;  ///< that was used; absent under Linux
  double ram_static_bytes = 0;            ///< of the harness
  double ram_arena_bound_bytes = 0;       ///< no plan of these kernels can be smaller
  std::optional<StripRange> strips;       ///< of layers, where the whole has no room
  std::string strips_because;             ///< why; empty without strips

  /// What the network needs in a firmware of one's own; unknown where the stack is.
  std::optional<double> ram_model_bytes() const {
    return ram_stack_bytes ? std::optional(ram_arena_bytes + *ram_stack_bytes) : std::nullopt;
  }
  /// What was flashed: that and the harness's static data.
  std::optional<double> ram_bytes() const {
    const auto model = ram_model_bytes();
    return model ? std::optional(*model + ram_static_bytes) : std::nullopt;
  }
};

/// Measures every network of bench_networks() whose name is in `names` (all, when empty), in strips
/// where its arena finds no place in the part's banks or is above `ram_budget` otherwise. One that
/// no strips bring into the banks is a misfit, and so is one of several that no strips bring below
/// the budget. Errors: bad_input for a budget that the only one cannot keep (naming the least), for
/// a board that is not virtual or an unknown name; failed_verdict when a logit differs from the
/// interpreter's; those of building and the board.
Result<std::vector<NetworkFigure>> bench_networks_on(const Board& board,
                                                     const std::vector<std::string>& names,
                                                     std::optional<Bytes> ram_budget,
                                                     const std::filesystem::path& scratch_folder,
                                                     std::stop_token stop);

}  // namespace assay
