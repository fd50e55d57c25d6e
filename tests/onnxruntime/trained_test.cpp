// A trained and quantized network over all test images: host evaluation, whose logits every board
// repeats, against ONNX Runtime on the same file.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "compress/data/dataset.hpp"
#include "harness/core/json.hpp"
#include "targets/graph/input.hpp"
#include "targets/graph/lower.hpp"
#include "tests/harness/cli/user.hpp"
#include "tests/onnxruntime/onnx_runtime.hpp"

namespace assay::test {
namespace {

namespace fs = std::filesystem;

/// One short training of a small student, and the int8 network from it.
constexpr const char* matrix = R"({
  "name": "m",
  "base": {"student.cut": 4, "student.fewer_filters_pct": 50, "train.epochs": 1,
           "train.images": 20000, "quantize.scheme": "int8"}
})";

/// The only result of that kind in the user's cache.
fs::path result_folder(const User& user, const std::string& kind) {
  for (const auto& entry : fs::directory_iterator(user.cache() / kind))
    return entry.path();
  return {};
}

std::vector<float> normalized(const ImageSet& images, const InputNormalization& normalization) {
  const std::size_t plane = std::size_t(images.height) * std::size_t(images.width);
  std::vector<float> values;
  values.reserve(images.pixels.size());
  for (std::size_t i = 0; i < images.pixels.size(); ++i) {
    const std::size_t channel = i / plane % std::size_t(images.channels);
    const std::size_t at = normalization.mean.size() == 1 ? 0 : channel;
    values.push_back((float(images.pixels[i]) / 255 - normalization.mean[at]) /
                     normalization.deviation[at]);
  }
  return values;
}

template <class Logits>
std::size_t decision(Logits logits) {
  return std::size_t(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

TEST(TrainedNetwork, DecidesAsOnnxRuntimeDoesOnEveryTestImage) {
  const User user;
  user.write("m.json", matrix);
  const Answer answer = user.run({"run", "m.json"});
  ASSERT_EQ(answer.exit_code, 0) << answer.errors;
  const auto path = result_folder(user, "quantize") / "model.onnx";
  const auto logits = read_bytes(result_folder(user, "evaluate") / "logits.bin");
  ASSERT_TRUE(logits) << logits.error().message;

  const auto model = onnx::read_model(path);
  ASSERT_TRUE(model) << model.error().message;
  const auto images = load_split("fashion-mnist", Split::test);
  ASSERT_TRUE(images) << images.error().message;
  const auto normalization = read_normalization(*model, images->channels);
  ASSERT_TRUE(normalization) << normalization.error().message;
  const auto theirs = run_onnx_runtime(path, {1, images->channels, images->height, images->width},
                                       normalized(*images, *normalization));
  ASSERT_TRUE(theirs) << theirs.error().message;

  const auto count = std::size_t(images->count), classes = theirs->size() / count;
  ASSERT_EQ(count, 10000u);
  ASSERT_EQ(logits->size(), count * classes);
  const auto* ours = reinterpret_cast<const std::int8_t*>(logits->data());
  std::size_t alike = 0, our_correct = 0, their_correct = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t we = decision(std::span(ours + i * classes, classes));
    const std::size_t they = decision(std::span(*theirs).subspan(i * classes, classes));
    alike += we == they;
    our_correct += we == images->labels[i];
    their_correct += they == images->labels[i];
  }
  fmt::print("{} of {} decisions alike; correct: {} here, {} by ONNX Runtime\n", alike, count,
             our_correct, their_correct);
  EXPECT_GE(alike, 9950u);
  EXPECT_LE(std::max(our_correct, their_correct) - std::min(our_correct, their_correct), 10u);
  EXPECT_GT(our_correct, 6000u) << "the network learned nothing, so agreement says little";
}

}  // namespace
}  // namespace assay::test
