#include "harness/run/model_metrics.hpp"

#include <gtest/gtest.h>

#include <random>

#include "harness/core/file.hpp"
#include "harness/core/process.hpp"

namespace assay {
namespace {

/// Bytes like those of a pruned model: layers of weights that are small or zero, more so in every
/// second one. The statistics change within a block, where zlib and gzip part ways.
std::string model_like(std::size_t size) {
  std::mt19937 random(7);
  std::string text;
  for (int layer = 0; text.size() < size; ++layer) {
    text += "conv" + std::to_string(layer) + ".weight_quantized";
    const unsigned values = layer % 2 == 0 ? 4 : 120;
    for (int i = 0; i < 9000; ++i)
      text += static_cast<char>(random() % 2 ? 0 : random() % values);
  }
  text.resize(size);
  return text;
}

TEST(GzipSize, IsWhatTheShellCounts) {
  const auto folder = ScratchDirectory::create(::testing::TempDir(), "gzip-").value();
  const auto path = folder.path() / "model.onnx";
  for (const std::size_t size : {0u, 1u, 1000u, 70'000u, 250'000u}) {
    ASSERT_TRUE(write_atomically(path, model_like(size)));
    ProcessSpec shell;
    shell.arguments = {"sh", "-c", "gzip -9n < \"$1\" | wc -c", "sh", path.string()};
    const auto counted = run_process(shell).value();
    const auto found = gzip_size(path);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->count(), std::stoul(counted.output)) << size;
  }
}

TEST(GzipSize, OfAFileThatIsNotThereIsAnError) {
  EXPECT_FALSE(gzip_size("/nowhere/model.onnx"));
}

}  // namespace
}  // namespace assay
