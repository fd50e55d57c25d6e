// Every kernel row on layers drawn from seeds, bit for bit against the reference interpreter, on
// every core there are kernels for. By default a few layers of fixed seeds; the environment asks
// for others:
//   ASSAY_FUZZ_LAYERS=1000  layers on each core, every row that takes them (15)
//   ASSAY_FUZZ_SEED=7000    the first layer's seed, counted up from there (1, 1001, ...)
//   ASSAY_FUZZ_LEVEL=-Os    the compiler's level (-O2)
// A failure prints the command that repeats the layer alone.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <iostream>

#include "tests/targets/kernels/device_suite.hpp"
#include "tests/targets/kernels/fuzzed_layers.hpp"

namespace assay::test {
namespace {

std::string setting(const char* name, const std::string& fallback) {
  const char* value = std::getenv(name);
  return value ? value : fallback;
}

const std::string& level() {
  static const std::string text = setting("ASSAY_FUZZ_LEVEL", "-O2");
  return text;
}

/// Every row that runs on the core, on a layer that the RAM has room for, in place too.
void add_cases(const NamedGraph& one, const Core& core, std::uint64_t ram,
               std::vector<KernelCase>& cases) {
  const LayerView view = view_of(one.graph);
  for (const KernelRow& row : kernel_table()) {
    if (!row.runs_on(core) || !takes(row, view)) continue;
    KernelCase plain{fmt::format("{} {}", row.name, one.name), one.graph, &row};
    if (memory_needed(plain) > ram) continue;
    cases.push_back(plain);
    if (!row.in_place(view)) continue;
    plain.name += " in place";
    plain.in_place = true;
    cases.push_back(std::move(plain));
  }
}

/// Cases for one core, of so many layers that have any.
std::vector<KernelCase> draw_cases(const Core& core, std::uint64_t ram, std::uint32_t seed,
                                   int layers) {
  std::vector<KernelCase> cases;
  for (int drawn = 0; drawn < layers; ++seed) {
    const std::size_t before = cases.size();
    add_cases(fuzzed_layer(seed), core, ram, cases);
    drawn += cases.size() > before;
  }
  return cases;
}

/// The command that runs the layer of a case, and nothing else, again.
std::string repeat(const KernelCase& one) {
  const auto digits = one.name.find("seed ") + 5;
  const auto* const test = ::testing::UnitTest::GetInstance()->current_test_info();
  return fmt::format(
      "repeat with: ASSAY_FUZZ_SEED={} ASSAY_FUZZ_LAYERS=1 ASSAY_FUZZ_LEVEL={} "
      "fuzzed_kernels_test --gtest_filter={}.{}",
      one.name.substr(digits, one.name.find(':') - digits), level(), test->test_suite_name(),
      test->name());
}

using Outcomes = Result<std::vector<std::vector<KernelOutcome>>>;
using Run = std::function<Outcomes(const std::vector<KernelCase>&)>;

/// Where all of them together do not end as they should, each one for itself.
void expect_agreement(const std::vector<KernelCase>& cases, const Run& run) {
  const Outcomes outcomes = run(cases);
  if (!outcomes && cases.size() > 1) {
    for (const KernelCase& one : cases)
      expect_agreement({one}, run);
    ADD_FAILURE() << "together: " << outcomes.error().message;
    return;
  }
  if (!outcomes) {
    ADD_FAILURE() << cases[0].name << ": " << outcomes.error().message << '\n' << repeat(cases[0]);
    return;
  }
  for (std::size_t i = 0; i < cases.size(); ++i)
    EXPECT_EQ(disagreement(cases[i], (*outcomes)[i]), "") << repeat(cases[i]);
}

void fuzz(const Core& core, std::uint64_t ram, std::uint32_t first_seed, const Run& run) {
  const std::string seed = setting("ASSAY_FUZZ_SEED", std::to_string(first_seed));
  const std::string layers = setting("ASSAY_FUZZ_LAYERS", "15");
  const auto cases =
      draw_cases(core, ram, static_cast<std::uint32_t>(std::stoul(seed)), std::stoi(layers));
  std::cout << fmt::format("{}: {} layers from seed {} on, {} cases, {}\n", core.name, layers, seed,
                           cases.size(), level());
  ASSERT_FALSE(cases.empty()) << "ASSAY_FUZZ_LAYERS asks for none";
  // Small enough for a program's flash, few enough to compile while one waits.
  constexpr std::size_t batch = 40;
  for (std::size_t from = 0; from < cases.size(); from += batch) {
    const auto begin = cases.begin() + static_cast<std::ptrdiff_t>(from);
    const auto size = static_cast<std::ptrdiff_t>(std::min(batch, cases.size() - from));
    expect_agreement({begin, begin + size}, run);
  }
}

class FuzzedKernels : public ::testing::TestWithParam<std::size_t> {};

TEST_P(FuzzedKernels, AgreeWithTheReferenceBitForBit) {
  const KernelCore& core = kernel_cores()[GetParam()];
  constexpr std::uint64_t stack = 3 << 10;
  fuzz(core_of(core), core.ram.count() - stack, 1 + 1000 * static_cast<std::uint32_t>(GetParam()),
       [&](const std::vector<KernelCase>& cases) { return run_on_device(cases, core, level()); });
}

std::string letters(std::string name) {
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Cores, FuzzedKernels,
                         ::testing::Range<std::size_t>(0, kernel_cores().size()),
                         [](const auto& test) { return letters(kernel_cores()[test.param].name); });

class FuzzedKernelsUnderLinux : public ::testing::TestWithParam<const char*> {};

TEST_P(FuzzedKernelsUnderLinux, AgreeWithTheReferenceBitForBit) {
  const Core core = load_core(GetParam()).value();
  const std::uint32_t first_seed = core.neon ? 8001 : 9001;
  fuzz(core, std::uint64_t{1} << 30, first_seed,
       [&](const std::vector<KernelCase>& cases) { return run_under_linux(cases, core, level()); });
}

INSTANTIATE_TEST_SUITE_P(Cores, FuzzedKernelsUnderLinux, ::testing::Values("cortex-a57", "arm1176"),
                         [](const auto& test) { return letters(test.param); });

}  // namespace
}  // namespace assay::test
