// Which forms there are kernels of, and what is said of weights that fit one there is none of.
#include "targets/pack/form_support.hpp"

#include <gmock/gmock.h>

#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "targets/pack/bench_shapes.hpp"

namespace assay {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using enum IntegerOp;

IntegerGraph layer_of(IntegerOp op, WeightFill fill) {
  const Window window = op == dense ? Window{} : Window{3, 3, 1, 1, 1, 1, 1, 1};
  // Enough channels for filters of nine weights to have more values than a codebook.
  const int channels = op == depthwise ? 160 : 16;
  return single_layer_graph({op, 6, 6, channels, channels, window}, 5, fill);
}

TEST(FormSupport, EveryCoreHasEveryFormOfConvolutionsAndDenseLayers) {
  for (const char* name : {"cortex-m0", "cortex-m0plus", "cortex-m4f", "cortex-m7", "cortex-m33",
                           "cortex-a57", "cortex-a72", "arm1176"})
    for (const IntegerOp op : {convolution, dense})
      for (const WeightForm form :
           {WeightForm::int4, WeightForm::ternary, WeightForm::codebook16, WeightForm::codebook256,
            WeightForm::unstructured, WeightForm::blocks, WeightForm::blocks_codebook16,
            WeightForm::bitmap})
        EXPECT_THAT(forms_with_kernels(op, load_core(name).value()), Contains(form))
            << name << " " << to_string(op) << " " << to_string(form);
}

TEST(FormSupport, EveryCoreHasDepthwiseWeightsOfLessThanAByte) {
  for (const char* name : {"cortex-m0", "cortex-m0plus", "cortex-m4f", "cortex-m7", "cortex-m33",
                           "cortex-a57", "cortex-a72", "arm1176"})
    EXPECT_THAT(forms_with_kernels(depthwise, load_core(name).value()),
                ElementsAre(WeightForm::int8, WeightForm::int4, WeightForm::ternary,
                            WeightForm::codebook16, WeightForm::codebook256))
        << name;
}

struct Missed {
  IntegerOp op;
  WeightFill fill;
  const char* core;
  const char* words;  ///< empty: nothing is missed
};

TEST(FormSupport, SaysWhatALayerMisses) {
  static const Missed all[] = {
      {depthwise, WeightFill::scattered90, "cortex-m4f",
       "the weights fit unstructured, of which cortex-m4f has no depthwise kernel: they take a "
       "byte "
       "each"},
      {depthwise, WeightFill::int4, "cortex-m4f", ""},
      {depthwise, WeightFill::ternary, "cortex-m0", ""},
      {depthwise, WeightFill::clusters16, "cortex-a72", ""},
      {depthwise, WeightFill::scattered90, "arm1176", "fit unstructured, of which arm1176 has"},
      {convolution, WeightFill::int4, "arm1176", ""},
      {depthwise, WeightFill::random, "cortex-m4f", ""},
      {convolution, WeightFill::int4, "cortex-m4f", ""},
      {max_pool, WeightFill::int4, "cortex-m4f", ""},
  };
  for (const Missed& one : all) {
    const IntegerGraph graph = layer_of(one.op, one.fill);
    const std::string words = missed_form({graph, graph.layers[0]}, load_core(one.core).value());
    EXPECT_EQ(words.empty(), *one.words == 0) << words;
    EXPECT_THAT(words, HasSubstr(one.words));
  }
}

/// A depthwise layer over a square image, of weights that fit int4.
SingleLayer depthwise_layer(int size, int channels, int kernel, int stride = 1) {
  Window window{.kernel_height = kernel, .kernel_width = kernel};
  window.stride_height = window.stride_width = stride;
  return {depthwise, size, size, channels, channels, window};
}

struct Declined {
  const char* core;
  SingleLayer layer;
  const char* words;  ///< empty: nothing is missed
};

TEST(FormSupport, SaysWhyAKernelDeclinesALayerWhoseWeightsFit) {
  static const Declined all[] = {
      {"cortex-m4f", depthwise_layer(12, 3, 5),
       "the weights fit int4, but depthwise_int4.dsp takes layers of four channels or more whose "
       "windows and strides are at most 16 pixels wide alone: they take a byte each"},
      {"cortex-m7", depthwise_layer(20, 4, 17), "at most 16 pixels wide alone"},
      {"cortex-m33", depthwise_layer(40, 8, 3, 17), "at most 16 pixels wide alone"},
      // Words of 31 x 40 positions, and a byte for each tap.
      {"cortex-m0",
       {depthwise, 31, 40, 2, 2, {.kernel_height = 31, .kernel_width = 40}},
       "the weights fit int4, but depthwise_int4.m0 needs 6200 bytes of scratch and may take "
       "4096: they take a byte each"},
      {"cortex-m0", depthwise_layer(33, 2, 32), "takes windows of less than 32 rows alone"},
      {"arm1176", depthwise_layer(12, 3, 5), "takes layers of four channels or more alone"},
      // 72 weights are two units of 128 fields.
      {"cortex-a72", depthwise_layer(6, 8, 3), ""},
      {"cortex-a72", depthwise_layer(12, 3, 5), "cannot make them fewer bytes"},
      {"cortex-m4f", depthwise_layer(12, 4, 5), ""},
      {"cortex-m0", depthwise_layer(20, 8, 3), ""},
  };
  for (const Declined& one : all) {
    const IntegerGraph graph = single_layer_graph(one.layer, 5, WeightFill::int4);
    const std::string words = missed_form({graph, graph.layers[0]}, load_core(one.core).value());
    EXPECT_EQ(words.empty(), *one.words == 0) << one.core << ": " << words;
    EXPECT_THAT(words, HasSubstr(one.words)) << one.core;
  }
}

TEST(FormSupport, SaysThatInt16TensorsCostTheForm) {
  const Core core = load_core("cortex-m4f").value();
  const auto words = [&](WeightFill fill) {
    IntegerGraph graph = layer_of(convolution, fill);
    for (ActivationTensor& tensor : graph.tensors)
      tensor.element = Element::int16;
    return missed_form({graph, graph.layers[0]}, core);
  };
  EXPECT_EQ(words(WeightFill::int4),
            "the weights fit int4, but kernels over int16 tensors take a byte a weight");
  EXPECT_THAT(words(WeightFill::clusters16), HasSubstr("fit codebook16, but kernels over int16"));
  EXPECT_EQ(words(WeightFill::random), "");
}

TEST(FormSupport, IsDocumented) {
  const auto table = forms_table();
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_THAT(*read_text(source_root() / "docs" / "matrix.md"), HasSubstr(*table));
}

}  // namespace
}  // namespace assay
