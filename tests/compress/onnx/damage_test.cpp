// Whatever a file holds, reading it returns: a model that is sound, or one sentence.
#include <gmock/gmock.h>

#include <random>

#include "compress/onnx/model.hpp"
#include "tests/compress/onnx/sample_model.hpp"

namespace assay::onnx {
namespace {

/// Reads and, when that worked, walks over everything, so that a sanitizer sees a bad reference.
void expect_model_or_sentence(const std::string& content) {
  const auto read = parse_model(std::as_bytes(std::span(content)), "damaged.onnx");
  if (!read) {
    EXPECT_EQ(read.error().kind, ErrorKind::bad_input);
    EXPECT_EQ(read.error().message.find("damaged.onnx"), 0u) << read.error().message;
    EXPECT_EQ(read.error().message.find('\n'), std::string::npos) << read.error().message;
    return;
  }
  for (const auto& [name, tensor] : read->initializers)
    EXPECT_EQ(tensor.data.size(), std::size_t(tensor.element_count()) * size_of(tensor.type));
  EXPECT_FALSE(serialize_model(*read).empty());
}

TEST(DamagedModel, EveryTruncationIsAnswered) {
  const std::string whole = serialize_model(sample_model());
  for (std::size_t length = 0; length < whole.size(); ++length)
    expect_model_or_sentence(whole.substr(0, length));
}

TEST(DamagedModel, EveryByteFlippedIsAnswered) {
  const std::string whole = serialize_model(sample_model());
  for (std::size_t position = 0; position < whole.size(); ++position)
    for (int mask : {0x01, 0x08, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[position] = char(damaged[position] ^ mask);
      expect_model_or_sentence(damaged);
    }
}

TEST(DamagedModel, RandomEditsAreAnswered) {
  const std::string whole = serialize_model(sample_model());
  std::mt19937 random(20240501);
  auto below = [&](std::size_t limit) { return random() % limit; };
  for (int round = 0; round < 4000; ++round) {
    std::string damaged = whole;
    for (std::size_t edits = 1 + below(8); edits > 0; --edits) {
      const std::size_t position = below(damaged.size());
      switch (below(3)) {
        case 0:
          damaged[position] = char(below(256));
          break;
        case 1:
          damaged.erase(position, 1 + below(16));
          break;
        default:
          damaged.insert(position, whole, below(whole.size()), 1 + below(16));
      }
      if (damaged.empty()) break;
    }
    expect_model_or_sentence(damaged);
  }
}

TEST(DamagedModel, RandomBytesAreAnswered) {
  std::mt19937 random(7);
  for (int round = 0; round < 1000; ++round) {
    std::string noise(random() % 300, '\0');
    for (char& byte : noise)
      byte = char(random());
    expect_model_or_sentence(noise);
  }
}

}  // namespace
}  // namespace assay::onnx
