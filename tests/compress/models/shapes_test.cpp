#include <gmock/gmock.h>

#include "compress/models/model_spec.hpp"

namespace assay {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// One layer of every operator, on 3 x 9 x 8 images. Shapes, parameters and MACs by hand.
struct Row {
  LayerSpec layer;
  LayerShape shape;
  std::uint64_t parameters;
  std::uint64_t macs;
};

LayerSpec layer(std::string name, LayerOp op, std::vector<int> inputs, int out_channels = 0,
                KernelExtent kernel = 1, int stride = 1, Padding padding = 0) {
  return {std::move(name), op, std::move(inputs), out_channels, kernel, stride, padding};
}

std::vector<Row> every_operator() {
  return {
      // 3 -> 4 channels: 3*3*3 weights and a bias each; (9 - 3 + 2)/2 + 1 = 5, (8 - 3 + 2)/2 + 1 =
      // 4
      {layer("conv", LayerOp::convolution, {-1}, 4, 3, 2, 1), {4, 5, 4}, 4 * 28, 4 * 5 * 4 * 27},
      {layer("relu6", LayerOp::relu6, {0}), {4, 5, 4}, 0, 0},
      {layer("depthwise", LayerOp::depthwise, {1}, 0, 3, 1, 1), {4, 5, 4}, 4 * 10, 4 * 20 * 9},
      {layer("relu", LayerOp::relu, {2}), {4, 5, 4}, 0, 0},
      {layer("add", LayerOp::add, {3, 1}), {4, 5, 4}, 0, 0},
      {layer("max", LayerOp::max_pool, {4}, 0, 2, 2), {4, 2, 2}, 0, 0},
      {layer("average", LayerOp::average_pool, {5}, 0, 2, 1), {4, 1, 1}, 0, 0},
      {layer("global", LayerOp::global_average_pool, {5}), {4, 1, 1}, 0, 0},
      {layer("flatten", LayerOp::flatten, {5}), {16, 1, 1}, 0, 0},
      {layer("sigmoid", LayerOp::sigmoid, {7}), {4, 1, 1}, 0, 0},
      {layer("multiply", LayerOp::multiply, {4, 9}), {4, 5, 4}, 0, 0},
      {layer("concat", LayerOp::concat, {10, 0}), {8, 5, 4}, 0, 0},
      {layer("norm", LayerOp::batch_norm, {11}), {8, 5, 4}, 2 * 8, 0},
      // A 4 x 2 window, 1 row above, 2 below: (5 + 3 - 4)/2 + 1 = 3, (4 + 1 - 2)/2 + 1 = 2
      {layer("tall", LayerOp::convolution, {12}, 2, {4, 2}, 2, {1, 0, 2, 1}),
       {2, 3, 2},
       2 * (8 * 4 * 2 + 1),
       2 * 3 * 2 * (8 * 4 * 2)},
      {layer("dense", LayerOp::dense, {8}, 7), {7, 1, 1}, 7 * 17, 7 * 16},
  };
}

ModelSpec model_of(const std::vector<Row>& rows) {
  ModelSpec spec{"every-operator", 3, 9, 8, 7, {}};
  for (const Row& row : rows)
    spec.layers.push_back(row.layer);
  return spec;
}

TEST(Shapes, OfEveryOperator) {
  const auto rows = every_operator();
  const auto shapes = infer_shapes(model_of(rows));
  ASSERT_TRUE(shapes) << shapes.error().message;
  ASSERT_EQ(shapes->size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const LayerShape& found = (*shapes)[i];
    EXPECT_EQ(found.channels, rows[i].shape.channels) << rows[i].layer.name;
    EXPECT_EQ(found.height, rows[i].shape.height) << rows[i].layer.name;
    EXPECT_EQ(found.width, rows[i].shape.width) << rows[i].layer.name;
  }
}

TEST(Counts, OfEveryOperator) {
  std::uint64_t parameters = 0;
  std::uint64_t macs = 0;
  for (const Row& row : every_operator()) {
    parameters += row.parameters;
    macs += row.macs;
  }
  EXPECT_EQ(count_parameters(model_of(every_operator())).value(), parameters);
  EXPECT_EQ(count_macs(model_of(every_operator())).value(), Macs(macs));
}

TEST(Counts, IgnoreBatchNormalizationWhichIsFolded) {
  ModelSpec spec = model_of(every_operator());
  const auto before = count_parameters(spec).value();
  spec.layers[0].batch_norm = true;
  EXPECT_EQ(count_parameters(spec).value(), before);
}

TEST(Counts, LeaveOutABiasThatIsNotThereUnlessNormalizationBringsOne) {
  ModelSpec spec = model_of(every_operator());
  const auto before = count_parameters(spec).value();
  spec.layers[0].bias = false;
  EXPECT_EQ(count_parameters(spec).value(), before - 4);
  spec.layers[0].batch_norm = true;
  EXPECT_EQ(count_parameters(spec).value(), before);
}

TEST(Shapes, OfOneMoreLayer) {
  const ModelSpec spec{"half-built", 3, 9, 8, 7, {}};
  const std::vector<LayerShape> earlier{{4, 5, 4}};
  const auto shape =
      infer_output_shape(spec, earlier, layer("next", LayerOp::max_pool, {0}, 0, 2, 2));
  ASSERT_TRUE(shape) << shape.error().message;
  EXPECT_EQ(shape->channels, 4);
  EXPECT_EQ(shape->height, 2);
  EXPECT_FALSE(infer_output_shape(spec, earlier, layer("next", LayerOp::relu, {1})));
}

struct Misfit {
  const char* what;
  int layer;  ///< of every_operator()
  void (*spoil)(LayerSpec&);
  const char* message;
};

class ShapesRefuse : public ::testing::TestWithParam<Misfit> {};

TEST_P(ShapesRefuse, NamingModelAndLayer) {
  ModelSpec spec = model_of(every_operator());
  LayerSpec& spoiled = spec.layers[GetParam().layer];
  GetParam().spoil(spoiled);
  const auto shapes = infer_shapes(spec);
  ASSERT_FALSE(shapes) << GetParam().what;
  EXPECT_EQ(shapes.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(shapes.error().message,
              AllOf(HasSubstr("every-operator"), HasSubstr("'" + spoiled.name + "'"),
                    HasSubstr(GetParam().message)));
  EXPECT_FALSE(count_parameters(spec));
  EXPECT_FALSE(count_macs(spec));
}

INSTANTIATE_TEST_SUITE_P(
    Layers, ShapesRefuse,
    ::testing::Values(
        Misfit{"window larger than the image", 5, [](LayerSpec& l) { l.kernel = 6; },
               "6 x 6 window does not fit an input of 5 x 4"},
        Misfit{"no stride", 0, [](LayerSpec& l) { l.stride = 0; }, "make no window"},
        Misfit{"padding as large as the window", 0, [](LayerSpec& l) { l.padding = 3; },
               "make no window"},
        Misfit{"no filters", 0, [](LayerSpec& l) { l.out_channels = 0; }, "0 output channels"},
        Misfit{"padding as large as the window on one side", 13,
               [](LayerSpec& l) { l.padding.right = 2; },
               "kernel 4 x 2, stride 2, padding 1 0 2 2 make no window"},
        Misfit{"negative padding", 13, [](LayerSpec& l) { l.padding.left = -1; }, "make no window"},
        Misfit{"a window of no width", 13, [](LayerSpec& l) { l.kernel.width = 0; },
               "make no window"},
        Misfit{"a window too tall", 13, [](LayerSpec& l) { l.kernel.height = 9; },
               "9 x 2 window does not fit an input of 5 x 4"},
        Misfit{"factors of another number of channels", 10,
               [](LayerSpec& l) {
                 l.inputs = {4, 8};
               },
               "multiplies 4 x 5 x 4 by 16 x 1 x 1, which is not one factor per channel"},
        Misfit{"an image for factors", 10,
               [](LayerSpec& l) {
                 l.inputs = {9, 4};
               },
               "multiplies 4 x 1 x 1 by 4 x 5 x 4"},
        Misfit{"factors alone", 10, [](LayerSpec& l) { l.inputs = {4}; },
               "needs 2 input(s), has 1"},
        Misfit{"channels of two sizes of image", 11,
               [](LayerSpec& l) {
                 l.inputs = {10, -1};
               },
               "joins the channels of 4 x 5 x 4 and 3 x 9 x 8, images of two sizes"},
        Misfit{"three to join", 11,
               [](LayerSpec& l) {
                 l.inputs = {10, 0, 1};
               },
               "needs 2 input(s), has 3"},
        Misfit{"two to normalize", 12,
               [](LayerSpec& l) {
                 l.inputs = {10, 11};
               },
               "needs 1 input(s), has 2"},
        Misfit{"dense on an image", 14, [](LayerSpec& l) { l.inputs = {4}; }, "must be flat"},
        Misfit{"sum of two shapes", 4,
               [](LayerSpec& l) {
                 l.inputs = {3, -1};
               },
               "adds 4 x 5 x 4 to 3 x 9 x 8"},
        Misfit{"sum of one", 4, [](LayerSpec& l) { l.inputs = {3}; }, "needs 2 input(s), has 1"},
        Misfit{"a later layer as input", 3, [](LayerSpec& l) { l.inputs = {3}; },
               "input 3 is not an earlier layer"},
        Misfit{"a negative input", 3, [](LayerSpec& l) { l.inputs = {-2}; },
               "input -2 is not an earlier layer"},
        Misfit{"scores for other classes", 14, [](LayerSpec& l) { l.out_channels = 6; },
               "puts out 6 x 1 x 1, not 7 class scores"}));

TEST(Shapes, RefuseMoreChannelsThanAnyNetworkHas) {
  ModelSpec spec{"doubling", 1 << 15, 1, 1, 1 << 17, {}};
  spec.layers = {layer("twice", LayerOp::concat, {-1, -1}),
                 layer("again", LayerOp::concat, {0, 0})};
  EXPECT_THAT(infer_shapes(spec).error().message, HasSubstr("'again': joins 65536 x 1 x 1"));
}

TEST(Shapes, RefuseAModelWithoutLayersOrImage) {
  EXPECT_THAT(infer_shapes({"empty", 1, 8, 8, 1, {}}).error().message, HasSubstr("no layers"));
  ModelSpec spec = model_of(every_operator());
  spec.height = 0;
  EXPECT_THAT(infer_shapes(spec).error().message, HasSubstr("3 x 0 x 8 is not an image"));
}

}  // namespace
}  // namespace assay
