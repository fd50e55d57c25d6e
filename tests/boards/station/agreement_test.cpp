// Every logit the same on the host, a microcontroller, a QEMU machine and a Linux board: one form
// on each here; every form on every target in agreement_matrix_test, at night.
#include <gtest/gtest.h>

#include "harness/core/file.hpp"
#include "tests/boards/station/form_agreement.hpp"

namespace assay::test {
namespace {

struct Sample {
  WeightForm form;
  AgreementTarget target;
};

class Agreement : public ::testing::TestWithParam<Sample> {};

TEST_P(Agreement, OfEveryLogit) {
  const auto folder = ScratchDirectory::create(::testing::TempDir(), "agreement");
  ASSERT_TRUE(folder);
  constexpr std::size_t samples = 60;
  const auto found = compare_form(GetParam().form, GetParam().target, samples, folder->path());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->identical, samples);
  EXPECT_EQ(found->samples, samples);
}

using Kind = AgreementTarget::Kind;

INSTANTIATE_TEST_SUITE_P(
    Some, Agreement,
    ::testing::Values(Sample{WeightForm::int4, {Kind::host, ""}},
                      Sample{WeightForm::codebook16, {Kind::board, "stm32u575"}},
                      Sample{WeightForm::blocks, {Kind::qemu, "stm32g0b1"}},
                      Sample{WeightForm::int8, {Kind::qemu, "stm32f746"}},
                      Sample{WeightForm::ternary, {Kind::board, "raspberry-pi-4"}}));

}  // namespace
}  // namespace assay::test
