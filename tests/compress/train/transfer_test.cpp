// A network trained for one task learns another: what is frozen keeps its bits, the rest learns.
#include "compress/train/transfer.hpp"

#include <gmock/gmock.h>

#include "compress/models/head.hpp"
#include "compress/train/trainer.hpp"
#include "tests/compress/train/bright_halves.hpp"
#include "tests/compress/train/trainable_models.hpp"

namespace assay {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using testing_models::bright_halves;
using testing_models::initial;
using Freeze = TransferStart::Freeze;
using Head = TransferStart::Head;

DatasetInfo halves() {
  DatasetInfo data;
  data.name = "bright-halves";
  data.classes = data.outputs = 2;
  data.height = data.width = 8;
  data.normalization = {{0.4F}, {0.25F}};
  return data;
}

/// The other question about the same images: a third class has noise only.
ImageSet three_classes(int count, unsigned seed) {
  ImageSet set = bright_halves(count, seed);
  for (int i = 0; i < count; i += 3) {
    set.labels[std::size_t(i)] = 2;
    for (std::size_t pixel = 0; pixel < 64; ++pixel)
      set.pixels[std::size_t(i) * 64 + pixel] = std::uint8_t((pixel * 37 + unsigned(i)) % 60);
  }
  return set;
}

double train(TrainableNetwork& network, const ImageSet& images, const ImageSet& validation) {
  TrainSettings settings;
  settings.epochs = 4;
  settings.batch = 16;
  settings.learning_rate = 0.02;
  const Preprocessor preprocessor{halves().normalization};
  const TrainingTask task{network,    {},           settings, {},    nullptr, images,
                          validation, preprocessor, 1,        "cpu", {},      "transfer"};
  const auto reports = train_network(task, [](double, const std::string&) {}, {});
  EXPECT_TRUE(reports) << reports.error().message;
  return reports ? reports->back().validation_accuracy.value_or(0) : 0;
}

/// Trained to tell two classes.
const onnx::Model& pretrained() {
  static const onnx::Model model = [] {
    auto network = TrainableNetwork::create(initial(5), "source");
    EXPECT_GT(train(*network, bright_halves(256, 1), bright_halves(64, 2)), 0.95);
    return network->model();
  }();
  return model;
}

TransferStart start_with(Head head, Freeze freeze, std::vector<std::string> frozen = {}) {
  return {"source.onnx", head, freeze, std::move(frozen)};
}

std::vector<std::string> changed(const onnx::Model& before, const onnx::Model& after) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : after.initializers)
    if (before.initializers.at(name) != tensor) names.push_back(name);
  return names;
}

TEST(Transfer, NewHeadOnAFrozenBodyLearnsAThirdClass) {
  DatasetInfo data = halves();
  data.classes = data.outputs = 3;
  auto network = transfer(pretrained(), start_with(Head::replace, Freeze::all_but_head), data, 7);
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_GT(train(*network, three_classes(384, 3), three_classes(96, 4)), 0.95);
  EXPECT_THAT(changed(pretrained(), network->model()),
              UnorderedElementsAre("dense.weight", "dense.bias"));
  EXPECT_EQ(network->model().initializer("dense.weight")->shape,
            (std::vector<std::int64_t>{3, 256}));
}

TEST(Transfer, NothingFrozenMovesEverything) {
  auto network = transfer(pretrained(), start_with(Head::replace, Freeze::none), halves(), 7);
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_GT(train(*network, bright_halves(256, 3), bright_halves(64, 4)), 0.95);
  EXPECT_EQ(changed(pretrained(), network->model()).size(), pretrained().initializers.size());
}

TEST(Transfer, NamedLayersAreFrozenWithTheirNormalization) {
  auto network =
      transfer(pretrained(), start_with(Head::keep, Freeze::named, {"conv"}), halves(), 7);
  ASSERT_TRUE(network) << network.error().message;
  train(*network, bright_halves(64, 3), bright_halves(16, 4));
  EXPECT_THAT(changed(pretrained(), network->model()),
              UnorderedElementsAre("dense.weight", "dense.bias"));
}

TEST(Transfer, KeptHeadIsThatOfTheFile) {
  const auto network = transfer(pretrained(), start_with(Head::keep, Freeze::none), halves(), 7);
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_EQ(network->model(), pretrained());
}

TEST(Transfer, NormalizationsInFrontOfTheFirstLayerAreFrozenToo) {
  testing_models::ModelBuilder builder(1, 8, 8);
  testing_models::add_norm(builder, "x", "first", 1)
      .constant("conv.weight", {2, 1, 3, 3}, testing_models::numbers(18))
      .node("Conv", {"first", "conv.weight"}, "conv");
  const onnx::Model model =
      testing_models::add_norm(builder, "conv", "second", 2)
          .node("Flatten", {"second"}, "flat")
          .constant("fc.weight", {2, 72}, testing_models::numbers(144))
          .node("Gemm", {"flat", "fc.weight"}, "y", {{"transB", testing_models::whole(1)}})
          .build();
  auto network = transfer(model, start_with(Head::keep, Freeze::all_but_head), halves(), 7);
  ASSERT_TRUE(network) << network.error().message;
  train(*network, bright_halves(64, 3), bright_halves(16, 4));
  EXPECT_THAT(changed(model, network->model()), UnorderedElementsAre("fc.weight"));
}

struct Refused {
  const char* name;
  TransferStart start;
  int outputs;
  const char* expected;
};

class TransferRefuses : public ::testing::TestWithParam<Refused> {};

TEST_P(TransferRefuses, WithTheFile) {
  DatasetInfo data = halves();
  data.outputs = GetParam().outputs;
  const auto network = transfer(pretrained(), GetParam().start, data, 7);
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(network.error().message, HasSubstr("source.onnx"));
  EXPECT_THAT(network.error().message, HasSubstr(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    Transfer, TransferRefuses,
    ::testing::Values(
        Refused{"UnknownLayer", start_with(Head::keep, Freeze::named, {"conv", "convolution"}), 2,
                "has no layer \"convolution\" to freeze; it has conv, dense"},
        Refused{"EverythingFrozen", start_with(Head::keep, Freeze::named, {"conv", "dense"}), 2,
                "nothing is left to train"},
        Refused{"OtherOutputs", start_with(Head::keep, Freeze::none), 10,
                "puts out [1, 2] for an image, bright-halves needs [1, 10]; replace the head"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace assay
