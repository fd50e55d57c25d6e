// Every form of networks on every target: 500 samples, every logit against the host's. Ends with a
// table, forms down and targets across. Takes minutes: runs at night (the label).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "harness/core/file.hpp"
#include "tests/boards/station/form_agreement.hpp"

namespace assay::test {
namespace {

constexpr std::size_t samples = 500;

/// What was found, by target and form; printed when everything has run.
class Table : public ::testing::Environment {
 public:
  static std::map<std::string, std::map<std::string, std::string>>& cells() {
    static std::map<std::string, std::map<std::string, std::string>> all;
    return all;
  }
  void TearDown() override {
    fmt::print(
        "samples with every logit the host's, and how many of the network's layers have a "
        "kernel of the form\n{:<24}",
        "");
    for (const AgreementForm& form : agreement_forms())
      fmt::print("  {:<18}", form.name);
    for (auto& [target, forms] : cells()) {
      fmt::print("\n{:<24}", target);
      for (const AgreementForm& form : agreement_forms())
        fmt::print("  {:<18}", forms[form.name]);
    }
    fmt::print("\n");
  }
};

const ::testing::Environment* const table =
    ::testing::AddGlobalTestEnvironment(new Table);  // GoogleTest deletes it

class AgreementOn : public ::testing::TestWithParam<AgreementTarget> {};

TEST_P(AgreementOn, EveryForm) {
  for (const AgreementForm& form : agreement_forms()) {
    SCOPED_TRACE(form.name);
    const auto folder = ScratchDirectory::create(::testing::TempDir(), "agreement");
    ASSERT_TRUE(folder);
    const auto found = compare_form(form, GetParam(), samples, folder->path());
    EXPECT_TRUE(found) << found.error().message;
    Table::cells()[GetParam().name()][form.name] = found ? found->text() : "failed";
    EXPECT_EQ(found ? found->identical : 0, samples);
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, AgreementOn, ::testing::ValuesIn(agreement_targets()),
                         [](const auto& test) {
                           std::string name = test.param.name();
                           std::erase_if(name, [](char c) { return c == '-' || c == ' '; });
                           return name;
                         });

}  // namespace
}  // namespace assay::test
