// Files from elsewhere become networks for a data set, or are refused with both sizes.
#include "compress/models/foreign_network.hpp"

#include <gmock/gmock.h>

#include "compress/models/input_meaning.hpp"
#include "harness/core/file.hpp"
#include "tests/compress/methods/float_models.hpp"

namespace assay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing_models::conv_pool_dense;

DatasetInfo tiles(int channels, int height, int width) {
  DatasetInfo data;
  data.name = "tiles";
  data.channels = channels;
  data.height = height;
  data.width = width;
  data.normalization = {std::vector<float>(std::size_t(channels), 0.25F),
                        std::vector<float>(std::size_t(channels), 0.5F)};
  return data;
}

onnx::Model with_input(std::vector<std::int64_t> shape) {
  onnx::Model model = conv_pool_dense();
  model.inputs[0].shape = std::move(shape);
  return model;
}

TEST(ForeignNetwork, TakesTheNormalizationOfTheDataSet) {
  onnx::Model model = conv_pool_dense();
  model.metadata["producer.note"] = "kept";
  const auto adopted = adopt_network(model, tiles(1, 4, 4), "m.onnx");
  ASSERT_TRUE(adopted) << adopted.error().message;
  const auto meaning = read_input_meaning(*adopted, "m.onnx");
  ASSERT_TRUE(meaning) << meaning.error().message;
  EXPECT_EQ(meaning->dataset, "tiles");
  EXPECT_THAT(meaning->normalization.mean, ElementsAre(0.25F));
  EXPECT_THAT(meaning->normalization.deviation, ElementsAre(0.5F));
  EXPECT_EQ(adopted->metadata.at("producer.note"), "kept");
}

TEST(ForeignNetwork, FreesTheBatchAndFixesSymbolicSizes) {
  for (const auto& shape : {std::vector<std::int64_t>{1, 1, 4, 4}, {-1, 1, 4, 4}, {8, 1, -1, -1}}) {
    const auto adopted = adopt_network(with_input(shape), tiles(1, 4, 4), "m.onnx");
    ASSERT_TRUE(adopted) << adopted.error().message;
    EXPECT_THAT(adopted->inputs[0].shape, ElementsAre(-1, 1, 4, 4));
  }
}

TEST(ForeignNetwork, OfAnotherSizeIsRefusedWithBoth) {
  const auto adopted = adopt_network(with_input({1, 3, 224, -1}), tiles(3, 32, 32), "m.onnx");
  ASSERT_FALSE(adopted);
  EXPECT_EQ(adopted.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(adopted.error().message, AllOf(HasSubstr("m.onnx takes images of 3 x 224 x any"),
                                             HasSubstr("those of tiles are 3 x 32 x 32")));
}

TEST(ForeignNetwork, WithoutOneFloatImageIsRefused) {
  onnx::Model flat = with_input({-1, 16});
  onnx::Model integers = conv_pool_dense();
  integers.inputs[0].type = onnx::ElementType::uint8;
  onnx::Model two = conv_pool_dense();
  two.inputs.push_back({"second", onnx::ElementType::float32, {-1, 1}});
  for (const onnx::Model& model : {flat, integers, two}) {
    const auto adopted = adopt_network(model, tiles(1, 4, 4), "m.onnx");
    ASSERT_FALSE(adopted);
    EXPECT_THAT(adopted.error().message, HasSubstr("m.onnx must have one float32 image input"));
  }
}

TEST(ForeignNetwork, DamagedFilesAreRefused) {
  const auto scratch = ScratchDirectory::create(::testing::TempDir(), "foreign");
  ASSERT_TRUE(scratch);
  const auto path = scratch->path() / "net.onnx";
  const std::string whole = onnx::serialize_model(conv_pool_dense());
  for (const std::string& bytes : {std::string("PK no model"), whole.substr(0, whole.size() / 2)}) {
    ASSERT_TRUE(write_atomically(path, bytes));
    const auto read = read_foreign_network(path, tiles(1, 4, 4));
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(read.error().message, HasSubstr(path.string()));
  }
  ASSERT_TRUE(write_atomically(path, whole));
  EXPECT_TRUE(read_foreign_network(path, tiles(1, 4, 4)));
}

TEST(ForeignNetwork, TorchScriptIsToldByItsName) {
  EXPECT_TRUE(is_torchscript("nets/a.pt"));
  EXPECT_TRUE(is_torchscript("a.torchscript"));
  EXPECT_FALSE(is_torchscript("a.onnx"));
}

}  // namespace
}  // namespace assay
