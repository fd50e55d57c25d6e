// Budgets as a user gives them: what is built and run keeps them, or the verdict says by how much
// it does not.
#include <gtest/gtest.h>

#include <cmath>

#include "harness/core/json.hpp"
#include "tests/harness/cli/models.hpp"
#include "tests/harness/cli/user.hpp"

namespace assay::test {
namespace {

using ::testing::HasSubstr;
using Arguments = std::vector<std::string>;

class Budget : public ::testing::Test {
 protected:
  void SetUp() override { user_.write("model.onnx", small_model()); }

  Answer measure(const Arguments& more) const {
    Arguments arguments{"measure",   "model.onnx", "--on",  "virtual:" + part_,
                        "--samples", "2",          "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return user_.run(arguments);
  }
  Json record(const Arguments& more) const {
    const Answer answer = measure(more);
    EXPECT_TRUE(answer.exit_code == 0 || answer.exit_code == 5) << answer.errors;
    return Json::parse(answer.output).at("records").at(0);
  }
  Answer export_it(const Arguments& more) const {
    Arguments arguments{"export", "model.onnx", "--part", "stm32f405", "-o", "library"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return user_.run(arguments);
  }

  const User user_;
  std::string part_ = "stm32f405";
};

double metric(const Json& record, const char* name) {
  return record.at("metrics").at(name).at("value");
}

/// Of a record's layers: one by one, as they were tried.
double sum_of(const Json& record, const char* figure) {
  double sum = 0;
  for (const Json& layer : record.at("build").at("layers"))
    sum += layer.at(figure).get<double>();
  return sum;
}

double built_flash(const Json& record) {
  return metric(record, "rom_weights_bytes") + metric(record, "rom_code_bytes");
}

// Microseconds by which a budget is above what the layers take: of six printed digits.
constexpr double above = 0.05;

std::string whole(double number) {
  return std::to_string(static_cast<long>(number));
}

TEST_F(Budget, OfFlashIsKeptByWhatIsLinked) {
  const Json fast = record({});
  const double layers = sum_of(fast, "constant_bytes") + sum_of(fast, "code_bytes");
  ASSERT_LT(layers, built_flash(fast)) << "what calls the layers takes bytes, too";
  EXPECT_LE(built_flash(fast), layers + 3 * 48) << "no more than is set aside for each";
  // The layers keep it one by one, the image does not: smaller kernels are taken.
  const Json within = record({"--flash-budget", whole(layers)});
  EXPECT_EQ(within.at("verdict"), "pass");
  EXPECT_LE(built_flash(within), layers);
  EXPECT_GT(metric(within, "cycles"), metric(fast, "cycles"));

  // There are no smaller ones than the smallest.
  const Json smallest = record({"--optimize", "flash"});
  const std::string least = whole(built_flash(smallest)), less = whole(built_flash(smallest) - 1);
  const Answer missed = measure({"--optimize", "flash", "--flash-budget", less});
  EXPECT_EQ(missed.exit_code, 5);
  const std::string words = "take " + least + " bytes of flash as they are linked, 1 more than " +
                            "the budget of " + less;
  EXPECT_THAT(missed.errors, IsOneSentence(words));
  const Json record = Json::parse(missed.output).at("records").at(0);
  EXPECT_EQ(record.at("verdict"), "fail");
  EXPECT_EQ(metric(record, "samples_confirmed"), 2) << "the figures are there all the same";

  EXPECT_THAT(export_it({"--optimize", "flash", "--flash-budget", less}).errors,
              IsOneSentence(words));
  EXPECT_FALSE(user_.project_files().contains("library"));
  EXPECT_EQ(export_it({"--optimize", "flash", "--flash-budget", least}).exit_code, 0);
}

TEST_F(Budget, OfLatencyIsAtTheClockThatRuns) {
  // 24 MHz has no wait states, 168 MHz has five: fewer cycles, each of them longer.
  const Json slow = record({"--clock-mhz", "24"});
  const double latency = metric(slow, "latency_us");
  const double layers = sum_of(slow, "modelled_cycles") / 24;
  ASSERT_LT(layers, latency);
  EXPECT_NEAR(layers, latency, latency / 50);
  const auto within = [&](double budget) {
    return measure({"--clock-mhz", "24", "--latency-budget", std::to_string(budget)});
  };
  EXPECT_EQ(within(latency).exit_code, 0);
  // The layers keep it one by one, the inference as a whole does not.
  const Answer missed = within(layers + above);
  EXPECT_EQ(missed.exit_code, 5);
  EXPECT_THAT(missed.errors, IsOneSentence("us more than the latency budget of"));

  // Silicon was measured to take a quarter more at that clock.
  std::filesystem::create_directory(user_.project() / "calibration");
  const std::string model = slow.at("environment").at("board").at("cycle_model").at("version");
  const Json point{{"network", "net"},       {"elf_sha256", std::string(64, 'a')},
                   {"clock_hz", 24'000'000}, {"board", "desk"},
                   {"date", "2026-01-31"},   {"measured_cycles", 1250},
                   {"modelled_cycles", 1000}};
  user_.write("calibration/stm32f405.json",
              Json{{"part", "stm32f405"}, {"cycle_model", model}, {"points", {point}}}.dump());
  const Answer slower = within(latency);
  EXPECT_EQ(slower.exit_code, 5);
  EXPECT_THAT(slower.errors, IsOneSentence("us more than the latency budget of"));
  EXPECT_EQ(within(1.25 * latency + above).exit_code, 0);
}

TEST_F(Budget, OfLatencyIsHeldAgainstTheWholeNetworkThatIsExported) {
  const Json fast = record({});
  const double layers = sum_of(fast, "modelled_cycles") / 168;
  const Answer missed = export_it({"--latency-budget", std::to_string(layers + above)});
  EXPECT_EQ(missed.exit_code, 5);
  EXPECT_THAT(missed.errors, IsOneSentence("us more than the latency budget of"));
  EXPECT_FALSE(user_.project_files().contains("library"));
  EXPECT_EQ(export_it({"--latency-budget", std::to_string(layers * 1.1)}).exit_code, 0);
}

// The layers are tried as a whole; what strips cost beyond that is in what is run.
TEST_F(Budget, OfLatencyIsHeldAgainstTheStripsThatRun) {
  const Json usual = record({});
  const Answer refused = measure({"--ram-budget", "1"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.errors, IsOneSentence("more than the budget of 1"));
  const std::string before = "the layers need at least ";
  const std::string least = refused.errors.substr(refused.errors.find(before) + before.size());
  const std::string ram = least.substr(0, least.find(' '));
  const Json strips = record({"--ram-budget", ram});
  EXPECT_EQ(strips.at("verdict"), "pass");
  EXPECT_EQ(metric(strips, "ram_arena_bytes"), std::stod(ram));
  const std::string why = "more than the budget of " + ram;
  EXPECT_THAT(strips.at("build").at("strips").at("because").get<std::string>(), HasSubstr(why));
  EXPECT_THAT(strips.at("environment").at("notices").dump(), HasSubstr(why));
  const double latency = metric(strips, "latency_us");
  EXPECT_GT(latency, 1.02 * metric(usual, "latency_us"));
  const auto within = [&](double budget) {
    return measure({"--ram-budget", ram, "--latency-budget", std::to_string(budget)});
  };
  EXPECT_EQ(within(latency + above).exit_code, 0);
  const Answer missed = within(latency - above);
  EXPECT_EQ(missed.exit_code, 5);
  EXPECT_THAT(missed.errors, IsOneSentence("us more than the latency budget of"));
}

TEST_F(Budget, OfLatencyOfAFloatModelIsHeldToo) {
  user_.write("model.onnx", small_float_model(FloatForm::float32));
  const Json fast = record({});
  const double layers = sum_of(fast, "modelled_cycles") / 168;
  EXPECT_EQ(export_it({"--latency-budget", std::to_string(layers + above)}).exit_code, 5);
  EXPECT_EQ(export_it({"--latency-budget", std::to_string(layers * 1.1)}).exit_code, 0);
}

// Caches are warm in a network that were cold for a layer alone, and layers share code.
TEST_F(Budget, ThatOnlyTheWholeNetworkKeepsIsKept) {
  part_ = "stm32h743";
  const Json fast = record({});
  const double latency = metric(fast, "latency_us");
  ASSERT_LT(latency, sum_of(fast, "modelled_cycles") / 400) << "no budget lies between the two";
  const Answer within = measure({"--latency-budget", std::to_string(latency + above)});
  EXPECT_EQ(within.exit_code, 0) << within.errors;
  EXPECT_EQ(measure({"--latency-budget", std::to_string(latency - above)}).exit_code, 5);

  part_ = "stm32g0b1";
  user_.write("model.onnx", small_float_model(FloatForm::float32));
  const Json small = record({"--optimize", "flash"});
  const double flash = built_flash(small);
  ASSERT_LT(flash, sum_of(small, "constant_bytes") + sum_of(small, "code_bytes"));
  EXPECT_EQ(measure({"--flash-budget", whole(flash)}).exit_code, 0);
  EXPECT_EQ(measure({"--flash-budget", whole(flash - 1)}).exit_code, 5);
}

}  // namespace
}  // namespace assay::test
