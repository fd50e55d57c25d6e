// The host target end to end: generated code, the device's own main loop and the pipe port,
// compiled by g++ and spoken to over the real link.
#include "targets/build/host_target.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

#include "boards/link/pipe_link.hpp"
#include "boards/link/session.hpp"
#include "targets/graph/lower.hpp"
#include "targets/graph/reference_run.hpp"
#include "tests/targets/graph/qdq_builder.hpp"

namespace assay {
namespace {

using test::QdqBuilder;
using ::testing::HasSubstr;

const std::string some_hash = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";

IntegerGraph network(unsigned seed) {
  QdqBuilder b(seed, 1, 14, 14, seed % 2 ? onnx::ElementType::uint8 : onnx::ElementType::int8);
  auto x = b.max_pool(b.conv(b.input(), {.outputs = 6}, "Relu"), 2, 2);
  x = b.add(x, b.conv(x, {.depthwise = true}), "Clip");
  return *lower(b.finish(b.dense(b.flatten(x), 10)));
}

/// Every operator that takes several tensors, and a table.
IntegerGraph branches(unsigned seed) {
  QdqBuilder b(seed, 2, 6, 5);
  const auto x = b.conv(b.input(), {.outputs = 6, .groups = 2}, "Relu");
  const auto gate = b.function("Sigmoid", b.global_average_pool(x));
  const auto joined = b.concat({x, b.multiply(x, gate), b.multiply(x, x)});
  return *lower(b.finish(b.dense(b.flatten(joined), 10)));
}

class HostTarget : public ::testing::TestWithParam<unsigned> {};

TEST_P(HostTarget, LogitsOverTheWireEqualTheInterpreters) {
  const IntegerGraph graph = GetParam() < 50 ? network(GetParam()) : branches(GetParam());
  const auto generated = generate(graph, nullptr, some_hash);
  ASSERT_TRUE(generated) << generated.error().message;
  const auto directory =
      std::filesystem::path(::testing::TempDir()) / ("host_" + std::to_string(GetParam()));
  const auto program = build_host_program(*generated, directory);
  ASSERT_TRUE(program) << program.error().message;
  ProcessSpec spec;
  spec.arguments = {program->executable.string()};
  auto link = PipeLink::start(spec, "host");
  ASSERT_TRUE(link) << link.error().message;
  auto session = Session::open(**link, std::chrono::seconds(10));
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_EQ(session->hello().part, "host");
  EXPECT_EQ(session->hello().model_hash, some_hash);
  EXPECT_EQ(session->hello().build_id.size(), 20u);
  EXPECT_TRUE(session->hello().unique_id.empty());

  constexpr std::size_t samples = 200;
  std::mt19937 random(GetParam());
  std::uniform_int_distribution<int> byte(-128, 127);
  const std::size_t size = session->hello().input_size;
  std::vector<std::int8_t> inputs(samples * size);
  for (auto& value : inputs)
    value = static_cast<std::int8_t>(byte(random));
  std::size_t answered = 0;
  const Status streamed =
      session->stream(inputs, [&](std::size_t i, std::span<const std::int8_t> logits) {
        const auto expected = run_reference(graph, std::span(inputs).subspan(i * size, size));
        EXPECT_TRUE(std::equal(logits.begin(), logits.end(), expected.begin(), expected.end()))
            << "sample " << i;
        ++answered;
      });
  ASSERT_TRUE(streamed) << streamed.error().message;
  EXPECT_EQ(answered, samples);
}

INSTANTIATE_TEST_SUITE_P(Networks, HostTarget, ::testing::Values(41u, 42u, 51u));

TEST(BuildHostProgram, QuotesTheCompilersComplaint) {
  GeneratedModel model;
  model.source = "int broken = ;\n";
  model.input_bytes = Bytes(1);
  const auto program =
      build_host_program(model, std::filesystem::path(::testing::TempDir()) / "broken");
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().kind, ErrorKind::infrastructure);
  EXPECT_THAT(program.error().message, HasSubstr("model.cpp:1"));
}

TEST(BuildHostProgram, SaysWhenTheCompilerIsMissing) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  const auto program = build_host_program(GeneratedModel{}, ::testing::TempDir());
  setenv("PATH", path.c_str(), 1);
  ASSERT_FALSE(program);
  EXPECT_EQ(program.error().kind, ErrorKind::infrastructure);
  EXPECT_THAT(program.error().message, HasSubstr("g++ is not installed"));
}

}  // namespace
}  // namespace assay
