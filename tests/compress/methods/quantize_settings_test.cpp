// Quantization settings: what is written reads back the same, and bad values are answered by path.
#include "compress/methods/quantize_settings.hpp"

#include <gmock/gmock.h>

namespace assay {
namespace {

using ::testing::HasSubstr;

Result<QuantizeSettings> read(const std::string& text) {
  JsonErrors errors("quantize.json");
  QuantizeSettings settings;
  {
    const Json json = Json::parse(text);
    JsonObject object(json, "quantize", errors);
    settings = read_quantize_settings(object);
  }
  ASSAY_CHECK(errors.status());
  return settings;
}

TEST(QuantizeSettings, ReadsEveryField) {
  const char* text = R"({"scheme": "int8w-int16a", "observer": "percentile", "samples": 20,
    "weight_bits": 4, "weight_observer": "mse", "weight_scales": "tensor",
    "layer_bits": {"conv1": 8, "a.b": 2}, "training": "learned"})";
  const auto settings = read(text);
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->scheme, Scheme::int16_activations);
  EXPECT_EQ(settings->observer, Observer::percentile);
  EXPECT_EQ(settings->samples, 20);
  EXPECT_EQ(settings->weight_observer, WeightObserver::mse);
  EXPECT_EQ(settings->weight_scales, WeightScales::tensor);
  EXPECT_EQ(settings->training, QuantizationTraining::learned);
  EXPECT_EQ(settings->bits_of("conv1"), 8);
  EXPECT_EQ(settings->bits_of("a.b"), 2);
  EXPECT_EQ(settings->bits_of("other"), 4);
  EXPECT_EQ(to_json(*settings), Json::parse(text));
}

TEST(QuantizeSettings, DefaultsToInt8) {
  const auto settings = read("{}");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(to_json(*settings), to_json(QuantizeSettings{}));
  EXPECT_EQ(settings->scheme, Scheme::int8);
  EXPECT_EQ(settings->weight_bits, 8);
}

TEST(QuantizeSettings, EveryWordReadsBack) {
  const struct {
    const char* key;
    std::vector<Json> words;
    std::size_t count;
  } cases[] = {{"scheme", known_schemes(), 5},
               {"observer", known_observers(), 4},
               {"weight_observer", known_weight_observers(), 4},
               {"weight_scales", known_weight_scales(), 2}};
  for (const auto& test : cases) {
    EXPECT_EQ(test.words.size(), test.count) << test.key;
    for (const Json& word : test.words) {
      const auto settings = read(Json{{test.key, word}}.dump());
      ASSERT_TRUE(settings) << settings.error().message;
      EXPECT_EQ(to_json(*settings)[test.key], word);
    }
  }
}

TEST(QuantizeSettings, KnowsWhatEachSchemeMakesInteger) {
  const struct {
    Scheme scheme;
    bool weights;
    bool activations;
  } cases[] = {{Scheme::none, false, false},
               {Scheme::int8, true, true},
               {Scheme::dynamic, true, false},
               {Scheme::float16, false, false},
               {Scheme::int16_activations, true, true}};
  for (const auto& test : cases) {
    const QuantizeSettings settings{.scheme = test.scheme};
    EXPECT_EQ(settings.quantizes_weights(), test.weights) << to_string(test.scheme);
    EXPECT_EQ(settings.quantizes_activations(), test.activations) << to_string(test.scheme);
    EXPECT_EQ(settings.activation_bits(), test.scheme == Scheme::int16_activations ? 16 : 8);
  }
}

TEST(QuantizeSettings, AnswersBadValuesWithTheirPath) {
  const struct {
    const char* text;
    const char* expected;
  } cases[] = {
      {R"({"scheme": "int7"})", "quantize.scheme: expected one of none, int8, dynamic"},
      {R"({"observer": "max"})", "quantize.observer: expected one of min-max"},
      {R"({"weight_observer": "moving-average"})",
       "quantize.weight_observer: expected one of auto"},
      {R"({"weight_scales": "row"})", "quantize.weight_scales: expected one of channel, tensor"},
      {R"({"weight_bits": 3})", "quantize.weight_bits: expected 8, 4 or 2, found 3"},
      {R"({"weight_bits": "4"})", "quantize.weight_bits: expected an int"},
      {R"({"samples": 0})", "quantize.samples: expected 1 to 512"},
      {R"({"layer_bits": {"conv1": 3}})", "quantize.layer_bits.conv1: expected 8, 4 or 2, found 3"},
      {R"({"layer_bits": {"conv1": null}})", "quantize.layer_bits.conv1: expected an int"},
      {R"({"layer_bits": [4]})", "quantize.layer_bits: expected"},
      {R"({"scheme": "float16", "weight_bits": 4})",
       "quantize.weight_bits: scheme float16 has no integer weights"},
      {R"({"scheme": "none", "layer_bits": {"conv1": 4}})",
       "quantize.layer_bits: scheme none has no integer weights"},
      {R"({"bits": 4})", "quantize.bits: unknown field"},
  };
  for (const auto& test : cases) {
    const auto settings = read(test.text);
    ASSERT_FALSE(settings) << test.text;
    EXPECT_EQ(settings.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(settings.error().message, HasSubstr(test.expected));
  }
}

}  // namespace
}  // namespace assay
