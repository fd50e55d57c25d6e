// The arena that tried kernels need, as a whole or with layers in strips. Thread-safe while nobody
// calls choose_strips().
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/core/json.hpp"
#include "harness/run/trial_stage.hpp"
#include "targets/graph/integer_graph.hpp"
#include "targets/graph/strip_choice.hpp"
#include "targets/pack/kernel.hpp"

namespace assay {

/// One kernel a layer: indices into Trial::layers.
using Picks = std::vector<std::size_t>;

class KernelArena {
 public:
  /// `graph` and `core` must outlive it. With banks in the room its budget is the user's; without,
  /// it is the smaller one of the user's and the part's.
  KernelArena(const IntegerGraph& graph, const Core& core, const Trial& trial, RamRoom room);

  /// Runs layers in strips where not even the kernels of least scratch have room as a whole: at the
  /// least cost in instructions that makes room; where nothing does, so that the arena is smallest.
  void choose_strips();

  /// Scratch of a kernel, in strips where its layer runs in strips; nothing where it cannot.
  std::optional<Bytes> scratch(std::size_t layer, std::size_t kernel) const;
  bool in_strips(std::size_t layer) const { return plan_ && plan_->covers(layer); }
  /// Whether the tensors and scratch of these kernels find a place, in the banks where there are
  /// any.
  bool has_room(const Picks& picks) const;
  /// The arena with these kernels.
  Bytes with(const Picks& picks) const;
  /// The kernels that need the least scratch.
  Picks smallest() const;

  const std::optional<StripPlan>& strips() const { return plan_; }
  /// An estimate of the instructions that the strips cost beyond the layers as a whole, at least 0.
  double instructions_of_strips() const;
  /// What is done in strips and why, of the user's RAM budget or without one; null without strips.
  Json describe(const Picks& picks, std::optional<Bytes> budget) const;

 private:
  /// What the kernels of one layer need; nothing where a kernel does not take it.
  using LayerNeeds = std::vector<std::optional<LayerMemory>>;

  std::vector<LayerNeeds> needs_in(const StripPlan& plan) const;
  std::vector<LayerMemory> memory_of(const std::vector<LayerNeeds>& needs,
                                     const Picks& picks) const;
  static Picks smallest_of(const std::vector<LayerNeeds>& needs);

  const IntegerGraph& graph_;
  const Core& core_;
  std::vector<std::vector<const KernelRow*>> kernels_;
  RamRoom room_;
  std::vector<LayerNeeds> whole_;
  std::vector<LayerNeeds> needs_;  ///< with the strips chosen
  std::optional<StripPlan> plan_;
};

/// Of what describe() says: "conv1 to conv3 run in 12 strips of 2 rows: the layers as a whole need
/// 34000 bytes of RAM, 1000 more than the budget of 33000".
std::string strips_sentence(const Json& strips);

}  // namespace assay
