// float16 against numpy's and the standard's bit patterns.
#include "compress/onnx/float16.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace assay::onnx {
namespace {

constexpr float infinite = std::numeric_limits<float>::infinity();

TEST(Float16, HasTheBitPatternsOfNumpy) {
  // numpy.float32(value).astype(numpy.float16).view(numpy.uint16)
  const struct {
    float value;
    std::uint16_t bits;
  } cases[] = {
      {0.0F, 0x0000},
      {-0.0F, 0x8000},
      {1.0F, 0x3c00},
      {-2.0F, 0xc000},
      {0.1F, 0x2e66},
      {0.333333343F, 0x3555},
      {3.14159274F, 0x4248},
      {65504.0F, 0x7bff},
      {65519.0F, 0x7bff},
      {65520.0F, 0x7c00},
      {-70000.0F, 0xfc00},
      {1e30F, 0x7c00},
      {6.103515625e-05F, 0x0400},
      {6.1e-05F, 0x03ff},
      {5.9604645e-08F, 0x0001},
      {2.98023224e-08F, 0x0000},
      {2.9802326e-08F, 0x0001},
      {8.9e-08F, 0x0001},
      {1e-10F, 0x0000},
      {2049.0F, 0x6800},
      {2051.0F, 0x6802},
      {1.00048828F, 0x3c00},
      {1.0004884F, 0x3c01},
      {1.00146484F, 0x3c02},
      {-0.000123456F, 0x880c},
      {1023.75F, 0x6400},
      {infinite, 0x7c00},
      {-infinite, 0xfc00},
  };
  for (const auto& [value, bits] : cases)
    EXPECT_EQ(to_float16(value), bits) << value;
}

TEST(Float16, EveryPatternSurvivesTheWayThroughFloat) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = from_float16(std::uint16_t(bits));
    if ((bits & 0x7fff) > 0x7c00)
      EXPECT_TRUE(std::isnan(value) && std::isnan(from_float16(to_float16(value)))) << bits;
    else
      EXPECT_EQ(to_float16(value), bits);
  }
}

TEST(Float16, RoundsToTheNearestAndTiesToEven) {
  // Between neighbours a < b every quarter of the gap is exact in float.
  for (std::uint16_t bits = 0; bits < 0x7bff; ++bits) {
    const float low = from_float16(bits);
    const float gap = from_float16(std::uint16_t(bits + 1)) - low;
    ASSERT_GT(gap, 0) << bits;
    EXPECT_EQ(to_float16(low + 0.25F * gap), bits);
    EXPECT_EQ(to_float16(low + 0.5F * gap), bits + bits % 2);
    EXPECT_EQ(to_float16(low + 0.75F * gap), bits + 1);
  }
}

}  // namespace
}  // namespace assay::onnx
