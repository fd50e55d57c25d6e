// Five convolutions on a small image: the family whose layer-wise cuts and width scaling the
// distillation matrices sweep.
#include <array>

#include "compress/models/families.hpp"

namespace assay {
namespace {

/// One convolution of the whole network.
struct Stage {
  int filters;
  int kernel;
  bool pool_before;  ///< halves height and width first
};

constexpr std::array<Stage, 5> stages{{
    {16, 3, false},
    {32, 3, true},
    {32, 3, false},
    {48, 3, true},
    {64, 3, false},
}};

}  // namespace

void build_conv5(const ModelChoice& choice, ModelSpec& spec) {
  // `cut 4` removes the fourth convolution and everything after it; the head moves up to the third.
  const int convolutions = choice.cut == 0 ? int(stages.size()) : choice.cut - 1;
  SpecBuilder net(spec);
  int halvings = 0;
  auto halve = [&] { net.max_pool("pool" + std::to_string(++halvings)); };
  for (int i = 0; i < convolutions; ++i) {
    if (stages[i].pool_before) halve();
    net.conv_bn_relu(i + 1, scaled_filters(stages[i].filters, choice.fewer_filters_pct),
                     stages[i].kernel);
  }
  // The head of every variant sees an eighth of the image's height and width, so a cut changes the
  // features it works on and not its resolution.
  while (halvings < 3)
    halve();
  net.flatten();
  net.dense("dense", spec.classes);
}

}  // namespace assay
