// Every row of the kernel table over int16 tensors against the interpreter, bit for bit, on
// emulated cores.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/targets/kernels/awkward_shapes.hpp"
#include "tests/targets/kernels/device_suite.hpp"

namespace assay::test {
namespace {

/// Every row on every shape that `ram` has room for, in place too where the row allows it.
std::vector<KernelCase> cases_for(const Core& core, Bytes ram) {
  std::vector<KernelCase> cases;
  for (const NamedGraph& one : wide_awkward_layers()) {
    const LayerView view = view_of(one.graph);
    for (const KernelRow& row : kernel_table()) {
      if (!row.runs_on(core) || !takes(row, view)) continue;
      KernelCase plain{fmt::format("{} {}", row.name, one.name), one.graph, &row};
      if (Bytes(memory_needed(plain)) > ram) continue;
      cases.push_back(plain);
      if (!row.in_place(view)) continue;
      plain.name += " in place";
      plain.in_place = true;
      cases.push_back(std::move(plain));
    }
  }
  return cases;
}

void expect_agreement(const std::vector<KernelCase>& cases,
                      const Result<std::vector<std::vector<KernelOutcome>>>& outcomes) {
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  EXPECT_GT(cases.size(), 100u);
  for (std::size_t i = 0; i < cases.size(); ++i)
    EXPECT_EQ(disagreement(cases[i], (*outcomes)[i]), "");
}

class WideKernelsOn : public ::testing::TestWithParam<KernelCore> {};

TEST_P(WideKernelsOn, AgreeWithTheInterpreterBitForBit) {
  const auto cases = cases_for(core_of(GetParam()), Bytes(GetParam().ram.count() * 3 / 4));
  expect_agreement(cases, run_on_device(cases, GetParam(), "-O2"));
}

class WideKernelsUnderLinuxOn : public ::testing::TestWithParam<const char*> {};

TEST_P(WideKernelsUnderLinuxOn, AgreeWithTheInterpreterBitForBit) {
  const Core core = load_core(GetParam()).value();
  const auto cases = cases_for(core, Bytes(1 << 30));
  expect_agreement(cases, run_under_linux(cases, core, "-O2"));
}

std::string letters(std::string name) {
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Cores, WideKernelsOn, ::testing::ValuesIn(kernel_cores()),
                         [](const auto& test) { return letters(test.param.name); });
INSTANTIATE_TEST_SUITE_P(Cores, WideKernelsUnderLinuxOn, ::testing::Values("cortex-a57", "arm1176"),
                         [](const auto& test) { return letters(test.param); });

}  // namespace
}  // namespace assay::test
