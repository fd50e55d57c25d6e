// Float networks on virtual boards: every logit the interpreter's, on FPUs and without one.
#include <gtest/gtest.h>

#include "harness/core/file.hpp"
#include "tests/boards/station/desk_rig.hpp"
#include "tests/targets/build/test_network.hpp"
#include "tests/targets/graph/float_form.hpp"

namespace assay::test {
namespace {

constexpr int samples = 20;

class FloatDesk : public ::testing::TestWithParam<const char*> {
 protected:
  Result<BoardMeasurement> measure(const MeasureRequest& request) {
    return desk_.measure(board_, request, {});
  }
  MeasureRequest request_in(FloatForm form) {
    const IntegerGraph graph = in_float(small_network(), form);
    return request_for(graph, build_for(graph, board_.type, scratch_.path() / "firmware"), samples);
  }

  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "desk");
  Board board_ = virtual_board("b", GetParam());
  Desk desk_ = *Desk::open({board_}, scratch_.path() / "locks");
};

TEST_P(FloatDesk, ConfirmsEveryLogitInEveryForm) {
  for (const FloatForm form : float_forms) {
    const auto found = measure(request_in(form));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->identical_samples, std::size_t{samples});
    EXPECT_FALSE(found->first_mismatch);
    EXPECT_EQ(found->link.device_overruns, 0u);
    EXPECT_EQ(found->hello.input_size, 144u);
    EXPECT_EQ(found->hello.output_size, 10u);
    EXPECT_EQ(found->hello.input_element, Element::float32);
    EXPECT_EQ(found->hello.output_element, Element::float32);
  }
}

TEST_P(FloatDesk, FindsALogitThatDiffersInItsLastBit) {
  MeasureRequest request = request_in(FloatForm::float32);
  request.expected_logits[4 * (10 * 7 + 3)] ^= 1;  // sample 7, logit 3
  const auto found = measure(request);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->identical_samples, std::size_t{samples} - 1);
  ASSERT_TRUE(found->first_mismatch);
  EXPECT_EQ(found->first_mismatch->sample, 7u);
  EXPECT_EQ(found->first_mismatch->logit, 3u);
  EXPECT_EQ(found->first_mismatch->expected,
            read_element(request.expected_logits, 73, Element::float32));
  EXPECT_NE(found->first_mismatch->found, found->first_mismatch->expected);
  EXPECT_FLOAT_EQ(found->first_mismatch->found, found->first_mismatch->expected);
}

INSTANTIATE_TEST_SUITE_P(Cores, FloatDesk,
                         ::testing::Values("stm32f030cc", "stm32g0b1", "stm32f405", "stm32h747",
                                           "stm32u575"),
                         [](const auto& param) { return std::string(param.param); });

}  // namespace
}  // namespace assay::test
