// Every row of the kernel table against the reference interpreter, bit for bit, on emulated cores.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "targets/pack/bench_shapes.hpp"
#include "tests/targets/kernels/awkward_shapes.hpp"
#include "tests/targets/kernels/device_suite.hpp"

namespace assay::test {
namespace {

bool is_packed(WeightForm form) {
  return form == WeightForm::int4 || form == WeightForm::ternary ||
         form == WeightForm::codebook16 || form == WeightForm::codebook256;
}

/// Every row that the core runs, on every shape that the row accepts, in place too where the row
/// allows it.
std::vector<KernelCase> cases_for(const Core& core) {
  std::vector<KernelCase> cases;
  for (const NamedGraph& one : awkward_layers()) {
    const LayerView view = view_of(one.graph);
    for (const KernelRow& row : kernel_table()) {
      if (!row.runs_on(core) || !takes(row, view)) continue;
      if (one.only_for_packed_forms && !is_packed(row.form)) continue;
      const std::string name = fmt::format("{} {}", row.name, one.name);
      cases.push_back({name, one.graph, &row, false});
      if (row.in_place(view)) cases.push_back({name + " in place", one.graph, &row, true});
    }
  }
  return cases;
}

void expect_agreement(const std::vector<KernelCase>& cases,
                      const std::vector<std::vector<KernelOutcome>>& outcomes) {
  for (std::size_t i = 0; i < cases.size(); ++i)
    EXPECT_EQ(disagreement(cases[i], outcomes[i]), "");
}

struct Build {
  KernelCore core;
  std::string optimization;
};

class KernelsOn : public ::testing::TestWithParam<Build> {};

/// Rows that take large scratch need a machine with the RAM for it.
bool has_room(const KernelCore& core, const KernelCase& one) {
  return !one.kernel->large_scratch || core.ram > Bytes(32 << 10);
}

TEST_P(KernelsOn, AgreeWithTheReferenceBitForBit) {
  const auto& [core, optimization] = GetParam();
  std::vector<KernelCase> cases = cases_for(core_of(core));
  std::erase_if(cases, [&](const KernelCase& one) { return !has_room(core, one); });
  ASSERT_FALSE(cases.empty());
  const auto outcomes = run_on_device(cases, core, optimization);
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  expect_agreement(cases, *outcomes);
}

TEST(KernelsWithLargeScratch, AgreeWithTheReferenceBitForBitWithoutDsp) {
  std::vector<KernelCase> cases = cases_for(core_of(roomy_m0()));
  std::erase_if(cases, [](const KernelCase& one) { return !one.kernel->large_scratch; });
  ASSERT_GT(cases.size(), 20u);
  const auto outcomes = run_on_device(cases, roomy_m0(), "-O2");
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  expect_agreement(cases, *outcomes);
}

/// The optimized rows: the reference kernels are compiled for Linux in every whole program.
class KernelsUnderLinux : public ::testing::TestWithParam<const char*> {};

TEST_P(KernelsUnderLinux, AgreeWithTheReferenceBitForBit) {
  const auto core = load_core(GetParam());
  ASSERT_TRUE(core) << core.error().message;
  std::vector<KernelCase> cases = cases_for(*core);
  std::erase_if(cases, [](const KernelCase& one) { return one.kernel->portable; });
  ASSERT_GT(cases.size(), 50u);
  const auto outcomes = run_under_linux(cases, *core, "-O2");
  ASSERT_TRUE(outcomes) << outcomes.error().message;
  expect_agreement(cases, *outcomes);
}

INSTANTIATE_TEST_SUITE_P(Cores, KernelsUnderLinux, ::testing::Values("cortex-a57", "arm1176"),
                         [](const auto& test) { return test.param[0] == 'c' ? "Neon" : "Armv6"; });

/// At one level each; the Cortex-M0, with the most code of its own, at both.
std::vector<Build> builds() {
  std::vector<Build> builds{{kernel_cores()[2], "-Os"}};
  for (const KernelCore& core : tried_cores())
    builds.push_back({core, core.name == "cortex-m33" ? "-Os" : "-O2"});
  return builds;
}

INSTANTIATE_TEST_SUITE_P(Cores, KernelsOn, ::testing::ValuesIn(builds()), [](const auto& test) {
  std::string name = test.param.core.name + test.param.optimization;
  std::erase(name, '-');
  return name;
});

}  // namespace
}  // namespace assay::test
