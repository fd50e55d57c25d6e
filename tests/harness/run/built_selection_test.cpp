// The kernels and strips of a firmware, read back from its facts.
#include <gtest/gtest.h>

#include "harness/run/firmware_stage.hpp"

namespace assay {
namespace {

Json layer(const char* name, const char* kernel) {
  return {{"name", name}, {"kernel", kernel}};
}

FirmwareFacts facts_of(const Json& layers, const Json& strips = nullptr) {
  FirmwareFacts facts;
  facts.build = {{"layers", layers}};
  if (!strips.is_null()) facts.build["strips"] = strips;
  return facts;
}

TEST(SelectionOfAFirmware, HasItsKernelsAndNoStrips) {
  const auto found = selection_of(facts_of({layer("a", "conv.dsp"), layer("b", "dense.dsp")}));
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->choice.layers.size(), 2u);
  EXPECT_EQ(found->choice.layers[1]->name, "dense.dsp");
  EXPECT_FALSE(found->choice.strips);
  EXPECT_TRUE(found->strips.is_null());
}

TEST(SelectionOfAFirmware, FindsStripsAmongLayersOfOneName) {
  const Json same = layer("conv", "conv.dsp");
  const Json strips{{"first", 1}, {"layers", 2}, {"rows", 3}, {"first_layer", "conv"}};
  const auto found = selection_of(facts_of({same, same, same, same}, strips));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->choice.strips, (StripRange{1, 2, 3}));
}

TEST(SelectionOfAFirmware, RefusesAKernelThatThereIsNot) {
  const auto found = selection_of(facts_of(Json::array({layer("a", "conv.abacus")})));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::bad_input);
  EXPECT_NE(found.error().message.find("conv.abacus"), std::string::npos);
}

}  // namespace
}  // namespace assay
