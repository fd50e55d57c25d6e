#include "harness/plan/filter.hpp"

#include <gmock/gmock.h>

namespace assay {
namespace {

using ::testing::HasSubstr;

TEST(Filter, ReadsNumbersWordsAndTruth) {
  const auto filter = parse_filter("student.cut=4,distill.beta=1-alpha,distill.t_squared=false");
  ASSERT_TRUE(filter) << filter.error().message;
  EXPECT_EQ(
      *filter,
      (FieldValues{{"student.cut", 4}, {"distill.beta", "1-alpha"}, {"distill.t_squared", false}}));
  EXPECT_EQ(parse_filter("student.cut=none")->at("student.cut"), "none");
  EXPECT_EQ(parse_filter("seed=1.0")->at("seed"), 1);
  EXPECT_TRUE(parse_filter("")->empty());
}

TEST(Filter, RefusesWhatIsNoCondition) {
  for (const auto& [text, words] : std::map<std::string, std::string>{
           {"cut", "\"cut\" is not of the form field=value"},
           {"student.cut=4,", ""},
           {"student.cat=4", "\"student.cat\" is not a field of a configuration"},
           {"student.cut=9", "student.cut: expected"},
           {"seed=1,seed=2", "seed is given twice"},
           {"=4", "\"\" is not a field"}}) {
    const auto filter = parse_filter(text);
    if (words.empty()) {
      EXPECT_TRUE(filter) << text;
      continue;
    }
    ASSERT_FALSE(filter) << text;
    EXPECT_EQ(filter.error().kind, ErrorKind::bad_input);
    EXPECT_THAT(filter.error().message, HasSubstr(words)) << text;
  }
}

TEST(Filter, MatchesWhatTheConfigurationHas) {
  const Config distilled = Config::from({{"student.cut", 4}, {"distill.T", 4}});
  EXPECT_TRUE(matches(distilled, {}));
  EXPECT_TRUE(matches(distilled, *parse_filter("student.cut=4,distill.T=4")));
  EXPECT_FALSE(matches(distilled, *parse_filter("student.cut=4,distill.T=5")));
  EXPECT_TRUE(matches(distilled, *parse_filter("student.fewer_filters_pct=0")));  // by default
  EXPECT_FALSE(matches(distilled.plain(), *parse_filter("distill.T=4")));         // inert
}

}  // namespace
}  // namespace assay
