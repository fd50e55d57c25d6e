// Every logit the same on the host, a microcontroller, a QEMU machine and a Linux board: one form
// on each here; every form on every target in agreement_matrix_test, at night.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/core/file.hpp"
#include "tests/boards/station/form_agreement.hpp"

namespace assay::test {
namespace {

struct Sample {
  const char* form;
  AgreementTarget target;
};

class Agreement : public ::testing::TestWithParam<Sample> {};

TEST_P(Agreement, OfEveryLogit) {
  const auto folder = ScratchDirectory::create(::testing::TempDir(), "agreement");
  ASSERT_TRUE(folder);
  constexpr std::size_t samples = 60;
  const auto form = std::ranges::find(agreement_forms(), GetParam().form, &AgreementForm::name);
  const auto found = compare_form(*form, GetParam().target, samples, folder->path());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->identical, samples);
  EXPECT_EQ(found->samples, samples);
}

using Kind = AgreementTarget::Kind;

INSTANTIATE_TEST_SUITE_P(Some, Agreement,
                         ::testing::Values(Sample{"int4", {Kind::host, ""}},
                                           Sample{"codebook16", {Kind::board, "stm32u575"}},
                                           Sample{"1x4 blocks", {Kind::qemu, "stm32g0b1"}},
                                           Sample{"int8", {Kind::qemu, "stm32f746"}},
                                           Sample{"ternary", {Kind::board, "raspberry-pi-4"}},
                                           Sample{"int16", {Kind::qemu, "stm32f030cc"}},
                                           Sample{"float16", {Kind::board, "raspberry-pi-zero"}}));

}  // namespace
}  // namespace assay::test
