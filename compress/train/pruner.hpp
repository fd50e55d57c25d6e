// Magnitude pruning during a training: masks grow by a schedule, and every forward pass sees the
// masked weights. Include only where Torch is wanted. Not thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "compress/methods/pruning.hpp"
#include "compress/train/trainable_network.hpp"

namespace assay {

class Pruner final : public TrainingMethod {
 public:
  /// Weights that are zero from the start count as pruned and stay zero. Whole filters are pruned
  /// only where removing them changes no other layer's channels, but for those of the depthwise
  /// layers behind, which lose the same ones. `network` outlives the pruner. Errors: bad_input for
  /// a policy that names an unknown layer or selects none that can be pruned.
  static Result<std::unique_ptr<Pruner>> create(TrainableNetwork& network,
                                                const PruneSettings& settings);

  at::Tensor weight(std::size_t layer, const at::Tensor& weight) override;
  Status begin_step(std::int64_t step, std::int64_t steps) override;
  /// Momentum moves masked weights too: they are put back to zero.
  void end_step() override;
  NamedTensors state() const override;
  void restore(const NamedTensors& state) override;
  Json report() const override;
  std::string name() const override { return "prune"; }

 private:
  Pruner(TrainableNetwork& network, const PruneSettings& settings)
      : network_(network), settings_(settings), masks_(network.layers().size()) {}
  /// Leaves only the chosen layers that can lose filters, and fills `entries_`.
  Status choose_filters();
  void leave_out_without_groups();
  Status update_masks(const PruningUpdate& due);
  void set_mask(std::size_t position, const std::vector<std::uint8_t>& keep);
  void apply_masks();
  std::vector<LayerMask> current() const;

  TrainableNetwork& network_;
  PruneSettings settings_;
  std::vector<PruningUpdate> planned_;  // of the run; empty before its first step here
  std::vector<std::size_t> chosen_;     // layers of the network that are pruned
  std::vector<at::Tensor> masks_;  // per layer of the network; undefined where it is not pruned
  // Of whole filters only, per chosen layer: leaves whose first axis are its filters.
  std::vector<std::vector<at::Tensor>> entries_;
  Json updates_ = Json::array();
  Json sharing_ = Json::object();
  Json left_out_ = Json::object();
};

}  // namespace assay
