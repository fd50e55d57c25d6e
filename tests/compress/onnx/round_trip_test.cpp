#include <gmock/gmock.h>

#include <filesystem>

#include "compress/onnx/model.hpp"
#include "harness/core/file.hpp"
#include "harness/core/process.hpp"
#include "tests/compress/onnx/sample_model.hpp"

namespace assay::onnx {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::filesystem::path fresh_file(const char* name) {
  const auto path = std::filesystem::path(::testing::TempDir()) / name;
  std::filesystem::remove(path);
  return path;
}

TEST(RoundTrip, KeepsEverything) {
  const Model model = sample_model();
  const auto read = parse_model(bytes_of(serialize_model(model)), "memory");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, model);
}

TEST(RoundTrip, ThroughAFile) {
  const auto path = fresh_file("assay_round_trip.onnx");
  ASSERT_TRUE(write_model(sample_model(), path));
  const auto read = read_model(path);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, sample_model());
}

TEST(Serialize, SameValueSameBytes) {
  const std::string once = serialize_model(sample_model());
  EXPECT_EQ(serialize_model(sample_model()), once);
  const auto read = parse_model(bytes_of(once), "memory");
  ASSERT_TRUE(read);
  EXPECT_EQ(serialize_model(*read), once);
}

TEST(Serialize, IsReadByOnnxItself) {
  const auto path = fresh_file("assay_checked.onnx");
  ASSERT_TRUE(write_model(sample_model(), path));
  ProcessSpec spec;
  spec.arguments = {"/usr/bin/python3", CHECK_MODEL_SCRIPT, path.string()};
  const auto outcome = run_process(spec);
  ASSERT_TRUE(outcome) << outcome.error().message;
  ASSERT_EQ(outcome->exit_code, 0) << outcome->errors;
  // Sums by hand; 0x3c00 and 0xfbff are the halves 1 and -65504.
  EXPECT_EQ(outcome->output,
            "ir 8\n"
            "opset ai.onnx 17\n"
            "opset test.domain 1\n"
            "metadata assay.dataset fashion-mnist\n"
            "metadata assay.mean 0.5\n"
            "initializer bias int32 2 0\n"
            "initializer bias_scale float32 2 0.015\n"
            "initializer bytes uint8 3 383\n"
            "initializer halves float16 2 -65503\n"
            "initializer input_scale float32 scalar 0.02\n"
            "initializer input_zero int8 scalar -128\n"
            "initializer nothing float32 0x4 0\n"
            "initializer shape int64 2 31\n"
            "initializer weights int8 2x1x3x3 -9\n"
            "initializer weights_scale float32 2 0.75\n"
            "initializer weights_zero int8 2 0\n"
            "initializer words int16 2 -1\n"
            "node input_q_node QuantizeLinear input,input_scale,input_zero input_q\n"
            "node input_dq_node DequantizeLinear input_q,input_scale,input_zero input_dq\n"
            "node weights_dq_node DequantizeLinear weights,weights_scale,weights_zero weights_dq\n"
            "node bias_dq_node DequantizeLinear bias,bias_scale, bias_dq\n"
            "node conv_node Conv input_dq,weights_dq,bias_dq conv\n"
            "node relu_node LeakyRelu conv relu\n"
            "node flat_node Reshape relu,shape flat\n"
            "node logits_node Blend flat logits\n");
}

TEST(WriteModel, SaysWhereItCannotWrite) {
  const auto status = write_model(sample_model(), "/proc/assay/model.onnx");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::infrastructure);
  EXPECT_THAT(status.error().message, ::testing::HasSubstr("/proc/assay"));
}

}  // namespace
}  // namespace assay::onnx
