// The estimate of what strips cost against what is counted: whole networks on virtual boards, as a
// whole and in strips.
#include "targets/graph/strip_estimate.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cctype>
#include <string>

#include "harness/core/file.hpp"
#include "harness/run/bench_graph.hpp"
#include "harness/run/bench_networks.hpp"
#include "targets/graph/lower.hpp"
#include "tests/targets/graph/float_form.hpp"
#include "tests/targets/graph/qdq_builder.hpp"

namespace assay {
namespace {

// What targets/graph/strip_estimate.hpp states.
constexpr double factor = 2;
constexpr double least_share = 0.01;  ///< of the network's instructions

std::string pointwise(test::QdqBuilder& b, const std::string& x, int outputs) {
  return b.conv(
      x, {.outputs = outputs, .kernel_height = 1, .kernel_width = 1, .pads = {0, 0, 0, 0}}, "Relu");
}

onnx::Model finished(test::QdqBuilder& b, const std::string& x) {
  return b.finish(b.dense(b.flatten(b.global_average_pool(x)), 10));
}

/// Two modules of SqueezeNet: what is squeezed goes two ways, which are joined.
onnx::Model fire() {
  test::QdqBuilder b(8, 8, 24, 24);
  std::string x = b.conv(b.input(), {.outputs = 16}, "Relu");
  for (int i = 0; i < 2; ++i) {
    const std::string squeezed = pointwise(b, x, 8);
    x = b.concat({pointwise(b, squeezed, 16), b.conv(squeezed, {.outputs = 16}, "Relu")});
  }
  return finished(b, x);
}

/// Every block adds channels to those there are, as DenseNet's do.
onnx::Model dense_block() {
  test::QdqBuilder b(14, 8, 24, 24);
  std::string x = b.conv(b.input(), {.outputs = 16}, "Relu");
  for (int i = 0; i < 3; ++i)
    x = b.concat({x, b.conv(x, {.outputs = 8}, "Relu")});
  return finished(b, b.average_pool(x, 2, 2));
}

/// Layers without multiply-accumulates between those with them.
onnx::Model pools() {
  test::QdqBuilder b(11, 3, 24, 24);
  std::string x = b.function("HardSwish", b.conv(b.input(), {.outputs = 16}, "Relu"));
  x = b.function("HardSwish", b.conv(x, {.outputs = 16}));
  x = b.max_pool(b.conv(x, {.depthwise = true}, "Relu"), 3, 2, {1, 1, 1, 1});
  return finished(b, x);
}

Result<IntegerGraph> graph_named(const std::string& name) {
  if (name == "fire") return lower(fire());
  if (name == "dense block") return lower(dense_block());
  if (name == "pools") return lower(pools());
  if (name == "fire in float") return lower(test::in_float(fire(), test::FloatForm::float32));
  for (const BenchNetwork& network : bench_networks())
    if (network.name == name) return bench_network_graph(network);
  return fail(ErrorKind::bad_input, name);
}

struct Case {
  const char* part;
  const char* network;
  StripRange range;
};

class StripEstimate : public ::testing::TestWithParam<Case> {
 protected:
  static double count(const Board& board, const std::string& name, const IntegerGraph& graph,
                      const KernelChoice& choice) {
    const auto folder = *ScratchDirectory::create(::testing::TempDir(), "strip-estimate");
    Desk desk = *Desk::open({board}, folder.path() / "locks");
    const auto run = bench_graph({name, graph, choice, 1}, board, desk, folder.path(), {});
    EXPECT_TRUE(run) << run.error().message;
    return run ? run->instructions : 0;
  }
};

TEST_P(StripEstimate, IsNearWhatIsCounted) {
  const auto& [part, network, range] = GetParam();
  const auto graph = graph_named(network);
  ASSERT_TRUE(graph) << graph.error().message;
  const Board board = implicit_virtual_board(*find_board_type(part));
  const auto plan = plan_strips(*graph, range);
  ASSERT_TRUE(plan);
  KernelChoice in_strips;
  in_strips.strips = range;
  const double whole = count(board, network, *graph, {});
  const double counted = count(board, network, *graph, in_strips) - whole;
  const double estimate = instructions_of(*graph, *plan, board.type.part.core);
  fmt::print("{} on {}: {} more, {:.1f} %, estimated {:.0f}\n", network, part, counted,
             100 * counted / whole, estimate);
  ASSERT_GT(counted, least_share * whole);
  EXPECT_LT(estimate, factor * counted);
  EXPECT_GT(estimate, counted / factor);
}

constexpr const char* m4 = "stm32f405";
constexpr const char* m0 = "stm32g0b1";

INSTANTIATE_TEST_SUITE_P(
    Networks, StripEstimate,
    ::testing::Values(Case{m4, "ds-cnn", {0, 3, 5}}, Case{m4, "ds-cnn", {0, 7, 1}},
                      Case{m4, "resnet8", {4, 5, 8}}, Case{m4, "mobilenet-v1-025", {0, 4, 2}},
                      Case{m4, "mcunet-vww0", {1, 20, 1}}, Case{m4, "conv5", {0, 6, 1}},
                      Case{m4, "fire", {2, 8, 2}}, Case{m4, "dense block", {0, 7, 1}},
                      Case{m4, "pools", {0, 4, 1}}, Case{m4, "fire in float", {2, 8, 2}},
                      Case{m0, "ds-cnn", {0, 7, 1}}, Case{m0, "conv5", {0, 6, 1}},
                      Case{m0, "fire", {2, 8, 2}}, Case{m0, "dense block", {0, 7, 1}},
                      Case{m0, "pools", {0, 4, 1}}),
    [](const auto& test) {
      const Case& one = test.param;
      std::string name =
          fmt::format("{}_{}_{}_{}", one.part, one.network, one.range.first, one.range.last);
      for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
      return name;
    });

}  // namespace
}  // namespace assay
