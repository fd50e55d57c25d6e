#include "harness/plan/estimate.hpp"

#include "compress/data/dataset.hpp"

namespace assay::estimate {
namespace {

// Forward MACs per second while training, and the cost of an image that does not depend on MACs.
constexpr double training_macs_per_second = 1.6e10;
constexpr double seconds_per_image = 8.5e-5;

}  // namespace

Result<double> training_seconds(const Config& config, int epochs, Macs macs) {
  ASSAY_TRY(const auto data, find_dataset(config.at("data").get<std::string>()));
  const auto limit = config.values().find("train.images");
  const double images =
      limit == config.values().end() ? data.training_images : limit->second.get<double>();
  return epochs * images *
         (static_cast<double>(macs.count()) / training_macs_per_second + seconds_per_image);
}

}  // namespace assay::estimate
