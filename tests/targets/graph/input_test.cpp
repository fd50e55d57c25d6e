#include "targets/graph/input.hpp"

#include <gmock/gmock.h>

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

onnx::Model with_metadata(std::map<std::string, std::string> metadata) {
  onnx::Model model;
  model.metadata = std::move(metadata);
  return model;
}

TEST(ReadNormalization, TakesOneNumberForAllChannelsOrOneForEach) {
  const auto model = with_metadata({{"assay.mean", "0.5"}, {"assay.deviation", "0.1, 0.2,0.25"}});
  const auto normalization = read_normalization(model, 3);
  ASSERT_TRUE(normalization) << normalization.error().message;
  EXPECT_THAT(normalization->mean, ElementsAre(0.5f, 0.5f, 0.5f));
  EXPECT_THAT(normalization->deviation, ElementsAre(0.1f, 0.2f, 0.25f));
}

TEST(ReadNormalization, RefusesWhatItCannotUse) {
  const struct {
    std::map<std::string, std::string> metadata;
    const char* part;
  } cases[] = {
      {{}, "assay.mean"},
      {{{"assay.mean", "0"}}, "assay.deviation"},
      {{{"assay.mean", ""}, {"assay.deviation", "1"}}, "assay.mean"},
      {{{"assay.mean", "0,x"}, {"assay.deviation", "1"}}, "0,x"},
      {{{"assay.mean", "0,0,0"}, {"assay.deviation", "1"}}, "0,0,0"},
      {{{"assay.mean", "nan"}, {"assay.deviation", "1"}}, "nan"},
      {{{"assay.mean", "0"}, {"assay.deviation", "0"}}, "positive"},
      {{{"assay.mean", "0"}, {"assay.deviation", "1,"}}, "assay.deviation"},
  };
  for (const auto& [metadata, part] : cases) {
    const auto normalization = read_normalization(with_metadata(metadata), 2);
    ASSERT_FALSE(normalization) << part;
    EXPECT_EQ(normalization.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(normalization.error().message, HasSubstr(part));
  }
}

TEST(QuantizePixels, NormalizesRoundsHalfToEvenAndReordersToNhwc) {
  const ActivationTensor tensor{
      .name = "in", .height = 1, .width = 2, .channels = 2, .scale = 0.5f, .zero_point = 3};
  const InputNormalization identity{{0, 0}, {1, 1}};
  // 255 is 1.0, two steps; 64 / 255 is 0.50196, one step.
  const std::uint8_t pixels[] = {255, 0, 64, 255};
  EXPECT_THAT(quantize_pixels(pixels, identity, tensor), ElementsAre(5, 4, 3, 5));
  const float halves[] = {0.25f, 0.75f, -0.25f, -0.75f};  // +-0.5 and +-1.5 steps
  EXPECT_THAT(quantize_values(halves, tensor), ElementsAre(3, 3, 5, 1));
}

TEST(QuantizePixels, ClampsToInt8) {
  const ActivationTensor tensor{.name = "in", .channels = 2, .scale = 0.001f, .zero_point = 0};
  const float far[] = {9.0f, -9.0f};
  EXPECT_THAT(quantize_values(far, tensor), ElementsAre(127, -128));
}

}  // namespace
}  // namespace assay
