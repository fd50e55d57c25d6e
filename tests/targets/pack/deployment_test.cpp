#include "targets/pack/deployment.hpp"

#include <gmock/gmock.h>

#include "targets/graph/lower.hpp"
#include "targets/pack/rows.hpp"
#include "tests/targets/graph/qdq_builder.hpp"

namespace assay {
namespace {

using test::QdqBuilder;
using ::testing::HasSubstr;

constexpr IntegerOp all_ops[] = {
    IntegerOp::convolution, IntegerOp::depthwise,    IntegerOp::dense,
    IntegerOp::max_pool,    IntegerOp::average_pool, IntegerOp::add,
    IntegerOp::multiply,    IntegerOp::concat,       IntegerOp::lookup};

IntegerGraph network() {
  QdqBuilder b(31, 4, 10, 10);
  auto x = b.conv(b.input(), {.outputs = 8}, "Relu");
  x = b.add(b.conv(x, {.depthwise = true}), x);
  x = b.global_average_pool(b.max_pool(x, 2, 2));
  return *lower(b.finish(b.dense(b.flatten(x), 10)));
}

TEST(KernelTable, EveryOperatorHasAReferenceRowBehindTheFasterOnes) {
  for (const Element element : {Element::int8, Element::int16})
    for (const IntegerOp op : all_ops) {
      const KernelRow* last = nullptr;
      for (const KernelRow& row : kernel_table())
        if (row.op == op && row.element == element) last = &row;
      ASSERT_NE(last, nullptr) << to_string(op);
      EXPECT_EQ(last->name, reference_kernel(op, element).name);
      EXPECT_TRUE(last->portable);
    }
}

TEST(KernelTable, NamesAreUnique) {
  std::set<std::string_view> names;
  for (const KernelRow& row : kernel_table())
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
}

TEST(ReferenceKernels, PoolsRunInPlaceOnlyWithoutLeadingPadding) {
  IntegerGraph graph;
  graph.tensors = {{.name = "in", .height = 6, .width = 6, .channels = 2},
                   {.name = "out", .height = 3, .width = 3, .channels = 2}};
  IntegerLayer layer;
  layer.op = IntegerOp::max_pool;
  layer.inputs = {0};
  layer.output = 1;
  const KernelRow& row = reference_kernel(IntegerOp::max_pool);
  EXPECT_TRUE(row.in_place({graph, layer}));
  layer.window.pad_left = 1;
  EXPECT_FALSE(row.in_place({graph, layer}));
  layer.window.pad_left = 0;
  graph.tensors[1].width = 7;  // trailing padding alone
  EXPECT_FALSE(row.in_place({graph, layer}));
}

TEST(Deploy, TheHostUsesReferenceKernels) {
  const auto deployment = deploy(network(), nullptr);
  ASSERT_TRUE(deployment) << deployment.error().message;
  for (const DeployedLayer& layer : deployment->layers)
    EXPECT_THAT(std::string(layer.kernel->name), HasSubstr(".reference"));
}

TEST(Deploy, ACoreUsesItsOwnKernelsUnlessToldOtherwise) {
  for (const char* name : {"cortex-m4f", "cortex-m0"}) {
    SCOPED_TRACE(name);
    const auto core = load_core(name);
    ASSERT_TRUE(core) << core.error().message;
    const auto fast = deploy(network(), &*core);
    ASSERT_TRUE(fast) << fast.error().message;
    EXPECT_NE(fast->layers[0].kernel->name, "conv.reference");
    for (const DeployedLayer& layer : fast->layers)
      EXPECT_TRUE(layer.kernel->runs_on(*core));
    const auto reference = deploy(network(), &*core, {.force_reference = true});
    ASSERT_TRUE(reference);
    EXPECT_EQ(reference->layers[0].kernel->name, "conv.reference");
  }
}

TEST(Deploy, PlanningNeedsNoTrainedValues) {
  const IntegerGraph trained = network();
  IntegerGraph untrained = trained;
  for (IntegerLayer& layer : untrained.layers) {
    std::fill(layer.weights.begin(), layer.weights.end(), std::int8_t(0));
    std::fill(layer.requantization.bias.begin(), layer.requantization.bias.end(), 0);
  }
  for (const char* name : {"cortex-m4f", "cortex-m0"}) {
    const auto core = load_core(name);
    ASSERT_TRUE(core) << core.error().message;
    const auto expected = deploy(trained, &*core);
    const auto planned = deploy(untrained, &*core);
    ASSERT_TRUE(planned) << planned.error().message;
    EXPECT_EQ(planned->weight_bytes, expected->weight_bytes);
    EXPECT_EQ(planned->memory.arena_bytes, expected->memory.arena_bytes);
    EXPECT_EQ(planned->macs, expected->macs);
  }
}

TEST(Deploy, AForcedKernelMustExistAndRunThere) {
  const auto unknown = deploy(network(), nullptr, {.force_kernel = "conv.magic"});
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("conv.reference"));
  ASSERT_FALSE(dsp_kernels().empty());
  const auto core = load_core("cortex-m0");
  ASSERT_TRUE(core) << core.error().message;
  const std::string dsp(dsp_kernels().front().name);
  const auto wrong = deploy(network(), &*core, {.force_kernel = dsp});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(wrong.error().message, HasSubstr("cortex-m0"));
}

TEST(Deploy, AForcedKernelIsUsedWhereItsOperatorOccurs) {
  const auto core = load_core("cortex-m4f");
  ASSERT_TRUE(core) << core.error().message;
  const auto deployment = deploy(network(), &*core, {.force_kernel = "dense.reference"});
  ASSERT_TRUE(deployment) << deployment.error().message;
  EXPECT_EQ(deployment->layers.back().kernel->name, "dense.reference");
  EXPECT_NE(deployment->layers.front().kernel->name, "conv.reference");
}

}  // namespace
}  // namespace assay
