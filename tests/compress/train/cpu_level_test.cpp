// Instruction sets: their words, and the variables by which the libraries are told.
#include "compress/train/cpu_level.hpp"

#include <gmock/gmock.h>

namespace assay {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(CpuLevel, ReadsTheWordsItWrites) {
  for (const auto level : {CpuLevel::baseline, CpuLevel::avx2, CpuLevel::avx512})
    EXPECT_EQ(cpu_level_of(to_string(level)), level);
  for (const char* word : {"", "AVX2", "neon"})
    EXPECT_EQ(cpu_level_of(word), std::nullopt) << word;
}

// The values are those of the libraries' own documentation: c10's CPU capability, oneDNN's CPU
// dispatcher control, OpenBLAS's DYNAMIC_ARCH targets.
TEST(CpuLevel, TellsEveryLibrary) {
  EXPECT_THAT(cpu_environment(CpuLevel::baseline),
              UnorderedElementsAre(Pair("ATEN_CPU_CAPABILITY", "default"),
                                   Pair("ONEDNN_MAX_CPU_ISA", "SSE41"),
                                   Pair("OPENBLAS_CORETYPE", "Nehalem")));
}

TEST(CpuLevel, AsksForNothingThatTheMachineLacks) {
  for (const auto level : {CpuLevel::baseline, CpuLevel::avx2, CpuLevel::avx512}) {
    if (level > best_cpu_level())
      EXPECT_THAT(cpu_environment(level), IsEmpty()) << to_string(level);
    else
      EXPECT_EQ(cpu_environment(level).size(), 3U) << to_string(level);
  }
}

}  // namespace
}  // namespace assay
