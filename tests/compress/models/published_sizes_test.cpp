// Every network's parameters and multiply-accumulates against the figures that others publish.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <optional>

#include "compress/models/model_spec.hpp"

namespace assay {
namespace {

/// How many more numbers a source counts for every batch-normalized channel than the one bias that
/// folding leaves. PyTorch's convolutions have no bias there, and the running mean and variance are
/// not parameters: gamma and beta for our one. Keras's have a bias besides, and its totals include
/// the means and variances: five in all.
enum class Counting { pytorch = 1, keras = 4 };

/// A figure as it is printed.
struct Printed {
  std::string digits;
  double unit = 1;
};

/// Sources:
/// [han] Han, Pool, Tran, Dally, "Learning both weights and connections for efficient neural
///   networks", 2015, tables 3 and 4, which print two floating-point operations per MAC; the exact
///   numbers of parameters are the layers' sums, as Keras and Caffe print them.
/// [tiny] MLPerf Tiny, github.com/mlcommons/tiny, benchmark/training, whose code prints a Keras
///   summary. Seen in print: ds-cnn's parameters and the three MACs with users of the models, the
///   visual wake words network's parameters in NXP's model zoo; resnet8's are the sum over the
///   code.
/// [tv] torchvision.models: `num_params` and `_ops` (in 10^9) of the ImageNet weights.
/// [pcv] github.com/osmr/imgclsmob (pytorchcv): tables and self-tests of parameter counts.
/// [mcunet] github.com/mit-han-lab/mcunet, README, mcunet-vww0: 6.0M MACs and 0.37M parameters.
/// [slim] tensorflow/models, research/slim/nets/mobilenet_v1.md: millions of MACs.
/// [cifar] the CIFAR-10 forms of github.com/kuangliu/pytorch-cifar, as torchsummary prints them;
///   MACs from the model zoo of github.com/da2so/DA2Lite.
/// [tv10] torchvision's MobileNetV2 with a head of ten classes; parameters do not depend on
/// strides. [tf2] the table of a TensorFlow 2 implementation for CIFAR-10
/// ("SEPreActResNet101 47.3M").
struct Row {
  const char* source;
  const char* family;
  LayerShape input;
  int classes;
  Counting counting;
  Printed parameters;
  std::optional<Printed> macs;  ///< absent: the source prints none
};

constexpr auto pytorch = Counting::pytorch;
constexpr auto keras = Counting::keras;

const std::vector<Row> rows = {
    {"han", "lenet-300-100", {1, 28, 28}, 10, keras, {"266610"}, {{"532", 1e3 / 2}}},
    {"han", "lenet5", {1, 28, 28}, 10, keras, {"431080"}, {{"4586", 1e3 / 2}}},
    {"tiny", "resnet8", {3, 32, 32}, 10, keras, {"78666"}, {{"12501632"}}},
    {"tiny", "ds-cnn", {1, 49, 10}, 12, keras, {"24908"}, {{"2656768"}}},
    {"tiny", "mobilenet-v1-025", {3, 96, 96}, 2, keras, {"221794"}, {{"7489664"}}},
    {"mcunet", "mcunet-vww0", {3, 64, 64}, 2, pytorch, {"0.37", 1e6}, {{"6.0", 1e6}}},
    {"slim", "mobilenet-v1-025", {3, 224, 224}, 1000, pytorch, {"0.47", 1e6}, {{"41", 1e6}}},
    {"pcv", "mobilenet-v1-025", {3, 224, 224}, 1000, pytorch, {"470072"}, {}},
    {"tv", "mobilenet-v2", {3, 224, 224}, 1000, pytorch, {"3504872"}, {{"0.301", 1e9}}},
    {"tv", "resnet18", {3, 224, 224}, 1000, pytorch, {"11689512"}, {{"1.814", 1e9}}},
    {"tv", "resnet50", {3, 224, 224}, 1000, pytorch, {"25557032"}, {{"4.089", 1e9}}},
    {"tv", "densenet121", {3, 224, 224}, 1000, pytorch, {"7978856"}, {{"2.834", 1e9}}},
    {"pcv", "se-preact-resnet101", {3, 224, 224}, 1000, pytorch, {"49319320"}, {}},
    {"tv10", "mobilenet-v2", {3, 32, 32}, 10, pytorch, {"2236682"}, {}},
    {"cifar", "resnet18", {3, 32, 32}, 10, pytorch, {"11173962"}, {{"0.56", 1e9}}},
    {"cifar", "resnet50", {3, 32, 32}, 10, pytorch, {"23520842"}, {{"1.30", 1e9}}},
    {"cifar", "densenet121", {3, 32, 32}, 10, pytorch, {"6956298"}, {}},
    {"tf2", "se-preact-resnet101", {3, 32, 32}, 10, pytorch, {"47.3", 1e6}, {}},
};

ModelSpec build(const char* family, LayerShape input, int classes) {
  auto spec = build_model({family, 0, 0}, input.channels, input.height, input.width, classes);
  EXPECT_TRUE(spec) << spec.error().message;
  return spec ? *spec : ModelSpec{};
}

/// `value` with as many digits as the source prints.
std::string like(const Printed& printed, std::uint64_t value) {
  const auto point = printed.digits.find('.');
  const int decimals = point == std::string::npos ? 0 : int(printed.digits.size() - point - 1);
  return fmt::format("{:.{}f}", double(value) / printed.unit, decimals);
}

std::uint64_t normalized_channels(const ModelSpec& spec) {
  const auto shapes = infer_shapes(spec).value();
  std::uint64_t channels = 0;
  for (std::size_t i = 0; i < shapes.size(); ++i)
    if (spec.layers[i].batch_norm) channels += std::uint64_t(shapes[i].channels);
  return channels;
}

class PublishedSizes : public ::testing::TestWithParam<Row> {};

TEST_P(PublishedSizes, AreOurs) {
  const Row& row = GetParam();
  const ModelSpec spec = build(row.family, row.input, row.classes);
  const std::uint64_t parameters =
      count_parameters(spec).value() + std::uint64_t(row.counting) * normalized_channels(spec);
  EXPECT_EQ(like(row.parameters, parameters), row.parameters.digits);
  if (row.macs) {
    EXPECT_EQ(like(*row.macs, count_macs(spec).value().count()), row.macs->digits);
  }
}

INSTANTIATE_TEST_SUITE_P(Zoo, PublishedSizes, ::testing::ValuesIn(rows), [](const auto& row) {
  std::string name =
      fmt::format("{}_{}_{}", row.param.family, row.param.input.height, row.param.source);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

// The example's own description: 32.3 KB of int8 weights. Biases are one per filter and class. MACs
// by hand: 5x5 windows at 32 x 32, 16 x 16 and 8 x 8 positions, then 4 x 4 x 32 inputs of ten
// classes.
TEST(PublishedSizesOfConv3, AreThoseOfTheCmsisNnExample) {
  const ModelSpec spec = build("conv3", {3, 32, 32}, 10);
  const std::uint64_t weights = count_parameters(spec).value() - (32 + 16 + 32 + 10);
  EXPECT_EQ(like({"32.3", 1024}, weights), "32.3");
  EXPECT_EQ(count_macs(spec).value(),
            Macs(25 * 3 * 32 * 1024 + 25 * 32 * 16 * 256 + 25 * 16 * 32 * 64 + 16 * 32 * 10));
}

// No source prints the MACs of this very network, but it has the convolutions of torchvision's
// ResNet-101 (7.801 * 10^9), and in each of its 3, 4, 23, 3 blocks two layers of C * C / 16.
TEST(PublishedSizesOfSePreactResnet101, AreResnet101AndItsExcitations) {
  const ModelSpec spec = build("se-preact-resnet101", {3, 224, 224}, 1000);
  std::uint64_t excitation = 0;
  const int blocks[] = {3, 4, 23, 3};
  for (int stage = 0; stage < 4; ++stage) {
    const std::uint64_t channels = 256u << stage;
    excitation += std::uint64_t(blocks[stage]) * 2 * channels * channels / 16;
  }
  EXPECT_EQ(like({"7.801", 1e9}, count_macs(spec).value().count() - excitation), "7.801");
}

}  // namespace
}  // namespace assay
