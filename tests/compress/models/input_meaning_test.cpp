// What a model's metadata says about its input.
#include "compress/models/input_meaning.hpp"

#include <gmock/gmock.h>

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Integers = std::vector<std::int64_t>;

onnx::Model two_planes() {
  onnx::Model model;
  model.inputs = {{"input", onnx::ElementType::float32, {-1, 2, 4, 4}}};
  write_input_meaning(model, {"two-planes", {{0.25F, 0.5F}, {0.125F, 1.0F}}});
  return model;
}

TEST(InputMeaning, ComesBackFromTheMetadata) {
  const auto meaning = read_input_meaning(two_planes(), "tiny.onnx");
  ASSERT_TRUE(meaning) << meaning.error().message;
  EXPECT_EQ(meaning->dataset, "two-planes");
  EXPECT_THAT(meaning->normalization.mean, ElementsAre(0.25F, 0.5F));
  EXPECT_THAT(meaning->normalization.deviation, ElementsAre(0.125F, 1.0F));
}

TEST(InputMeaning, KeepsEveryBitOfANumber) {
  onnx::Model model = two_planes();
  const Normalization awkward{{0.1F, 0.28604063F}, {1.0F / 3, 0.35302424F}};
  write_input_meaning(model, {"d", awkward});
  const auto meaning = read_input_meaning(model, "tiny.onnx");
  ASSERT_TRUE(meaning) << meaning.error().message;
  EXPECT_EQ(meaning->normalization.mean, awkward.mean);
  EXPECT_EQ(meaning->normalization.deviation, awkward.deviation);
}

TEST(InputMeaning, NeedsNoNameOfADataSet) {
  onnx::Model model = two_planes();
  model.metadata.erase("assay.dataset");
  const auto meaning = read_input_meaning(model, "tiny.onnx");
  ASSERT_TRUE(meaning) << meaning.error().message;
  EXPECT_EQ(meaning->dataset, "");
}

TEST(InputMeaning, RefusesWhatSaysNothing) {
  const struct {
    const char* key;
    const char* value;  ///< nullptr: the property is removed
    const char* expected;
  } cases[] = {
      {"assay.mean", nullptr, "no metadata property assay.mean"},
      {"assay.deviation", nullptr, "no metadata property assay.deviation"},
      {"assay.mean", "", "expected 2 number(s)"},
      {"assay.mean", "0.5", "expected 2 number(s)"},
      {"assay.mean", "0.5,0.5,0.5", "expected 2 number(s)"},
      {"assay.mean", "0.5,x", "expected 2 number(s)"},
      {"assay.mean", "0.5,0.5 apples", "expected 2 number(s)"},
      {"assay.deviation", "0.5,0", "must be above 0"},
      {"assay.deviation", "-1,1", "must be above 0"},
  };
  for (const auto& test : cases) {
    onnx::Model model = two_planes();
    model.metadata.erase(test.key);
    if (test.value) model.metadata[test.key] = test.value;
    const auto meaning = read_input_meaning(model, "tiny.onnx");
    ASSERT_FALSE(meaning) << test.expected;
    EXPECT_EQ(meaning.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(meaning.error().message, HasSubstr(test.expected));
  }
}

TEST(InputMeaning, NeedsOneImageInput) {
  for (const Integers& shape : {Integers{-1, 16}, Integers{-1, 1, 4, 4, 4}}) {
    onnx::Model model = two_planes();
    model.inputs[0].shape = shape;
    const auto meaning = read_input_meaning(model, "tiny.onnx");
    ASSERT_FALSE(meaning);
    EXPECT_THAT(meaning.error().message, HasSubstr("one image input"));
  }
  onnx::Model model = two_planes();
  model.inputs.push_back(model.inputs[0]);
  EXPECT_FALSE(read_input_meaning(model, "tiny.onnx"));
}

}  // namespace
}  // namespace assay
