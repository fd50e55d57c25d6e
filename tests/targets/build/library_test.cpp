// Exported libraries, compiled as their README says: with g++ they compute what the reference does.
#include "targets/build/library.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "targets/graph/reference_run.hpp"
#include "tests/targets/build/library_rig.hpp"
#include "tests/targets/graph/float_form.hpp"

namespace assay::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(Library, OnTheHostComputesWhatTheReferenceDoes) {
  write_for(nullptr);
  ASSERT_TRUE(write_atomically(folder_ / "check.cpp", std::string_view(R"(#include <cstdio>
#include "model.hpp"
int main() {
  using namespace assay::model;
  for (std::size_t i = 0; i < input_bytes; ++i) input()[i] = static_cast<std::int8_t>(i * 7 % 256);
  run();
  for (std::size_t i = 0; i < logits; ++i) std::printf("%d ", output()[i]);
  std::printf("%dx%dx%d %.4f %d, %d %.4f %d", input_height, input_width, input_channels,
              double(input_scale), input_zero_point, logit_channels, double(logit_scale),
              logit_zero_point);
})")));
  shell(compile_command(warnings));
  shell("g++ -I. model.o check.cpp -o check && g++ -I. model.o example.cpp -o example");
  const auto logits = run_reference(graph_, example_input(graph_.tensors[0].size()));
  std::string expected;
  for (const int logit : logits)
    expected += fmt::format("{} ", logit);
  EXPECT_EQ(shell("./check"), expected + "12x12x1 0.0200 -3, 10 0.1000 4");
  const auto best = std::ranges::max_element(logits) - logits.begin();
  EXPECT_EQ(shell("./example"), fmt::format("{}\n", best));
}

TEST_F(Library, InFloatComputesTheSameBits) {
  const IntegerGraph graph = in_float(graph_, FloatForm::float16);
  write_for(nullptr, graph);
  ASSERT_TRUE(write_atomically(folder_ / "check.cpp", std::string_view(R"(#include <cstdio>
#include "model.hpp"
int main() {
  using namespace assay::model;
  float* in = reinterpret_cast<float*>(input());
  for (int i = 0; i < input_height * input_width * input_channels; ++i)
    in[i] = static_cast<float>(i * 7 % 256) / 128 - 1;
  run();
  const float* out = reinterpret_cast<const float*>(output());
  for (std::size_t i = 0; i < logits; ++i) std::printf("%a ", double(out[i]));
})")));
  shell(compile_command(warnings));
  shell("g++ -I. model.o check.cpp -o check && g++ -I. model.o example.cpp -o example");
  std::vector<float> input;
  for (std::int64_t i = 0; i < graph.tensors[0].size(); ++i)
    input.push_back(static_cast<float>(i * 7 % 256) / 128 - 1);
  const auto logits = run_reference(graph, bytes_of(input));
  std::string expected;
  std::vector<float> reals;
  for (std::size_t i = 0; i < 10; ++i) {
    reals.push_back(read_element(logits, i, Element::float32));
    expected += fmt::format("{:a} ", double(reals.back()));
  }
  EXPECT_EQ(shell("./check"), expected);
  const auto best = std::ranges::max_element(reals) - reals.begin();
  EXPECT_EQ(shell("./example"), fmt::format("{}\n", best));
  const std::string header = read_text(folder_ / "model.hpp").value();
  EXPECT_THAT(header, HasSubstr("float32 [height][width][channels]"));
  EXPECT_THAT(header, Not(HasSubstr("zero_point")));
  EXPECT_THAT(read_text(folder_ / "README.txt").value(), HasSubstr("-ffp-contract=off"));
}

TEST_F(Library, InInt16ComputesWhatTheReferenceDoes) {
  const IntegerGraph graph = in_int16(graph_);
  write_for(nullptr, graph);
  ASSERT_TRUE(write_atomically(folder_ / "check.cpp", std::string_view(R"(#include <cstdio>
#include "model.hpp"
int main() {
  using namespace assay::model;
  auto* in = reinterpret_cast<std::int16_t*>(input());
  for (int i = 0; i < input_height * input_width * input_channels; ++i)
    in[i] = static_cast<std::int16_t>(i * 1801 % 65536);
  run();
  const auto* out = reinterpret_cast<const std::int16_t*>(output());
  for (std::size_t i = 0; i < logits; ++i) std::printf("%d ", out[i]);
})")));
  shell(compile_command(warnings));
  shell("g++ -I. model.o check.cpp -o check && g++ -I. model.o example.cpp -o example");
  std::vector<std::int16_t> input;
  for (std::int64_t i = 0; i < graph.tensors[0].size(); ++i)
    input.push_back(static_cast<std::int16_t>(i * 1801 % 65536));
  const auto logits = run_reference(graph, bytes_of(std::span<const std::int16_t>(input)));
  std::string expected;
  std::vector<int> numbers;
  for (std::size_t i = 0; i < 10; ++i) {
    numbers.push_back(static_cast<int>(read_element(logits, i, Element::int16)));
    expected += fmt::format("{} ", numbers.back());
  }
  EXPECT_EQ(shell("./check"), expected);
  const auto best = std::ranges::max_element(numbers) - numbers.begin();
  EXPECT_EQ(shell("./example"), fmt::format("{}\n", best));
  EXPECT_THAT(read_text(folder_ / "model.hpp").value(),
              HasSubstr("int16 [height][width][channels]"));
}

TEST_F(Library, CompilesForEveryKindOfCore) {
  for (const char* name : {"cortex-m4f", "cortex-m0", "cortex-a72", "arm1176"}) {
    SCOPED_TRACE(name);
    const auto core = load_core(name);
    ASSERT_TRUE(core) << core.error().message;
    write_for(&*core);
    EXPECT_THAT(compile_command(""), HasSubstr(core->compile_flags.front()));
    shell(compile_command(warnings));
    const std::string command = compile_command("");
    const std::string tools = command.substr(0, command.find("g++"));
    EXPECT_EQ(tools == "arm-none-eabi-", !core->linux_tools.has_value());
    const std::string symbols = shell(tools + "nm -C model.o");
    for (const char* function : {"assay::model::run()", "assay::model::input()"})
      EXPECT_THAT(symbols, HasSubstr(function));
    fs::remove_all(folder_);
  }
}

TEST_F(Library, BringsTheHeadersThatAreIncludedAndNoOthers) {
  const auto core = load_core("cortex-m4f");
  write_for(&*core);
  const std::string opened = shell("arm-none-eabi-g++ -I. -mcpu=cortex-m4 -mthumb -M model.cpp");
  std::set<std::string> brought;
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "targets"))
    if (entry.is_regular_file()) brought.insert(entry.path().lexically_relative(folder_).string());
  EXPECT_GT(brought.size(), 3u);
  for (const auto& header : brought)
    EXPECT_THAT(opened, HasSubstr(header));
  EXPECT_TRUE(fs::exists(folder_ / "LICENSE"));
}

TEST_F(Library, LinksWithAnotherInOneProgram) {
  write_for(nullptr);
  const std::string order = compile_command("");
  for (const char* name : {"first", "second"}) {
    ASSERT_TRUE(write_atomically(
        folder_ / "call.cpp",
        fmt::format("#include \"model.hpp\"\nint run_{0}() {{\n  {0}::model::run();\n"
                    "  return {0}::model::output()[0];\n}}\n",
                    name)));
    shell(
        fmt::format("{0} -Dassay={1} -o model_{1}.o && g++ -I. -Dassay={1} -c call.cpp -o "
                    "call_{1}.o",
                    order, name));
  }
  ASSERT_TRUE(write_atomically(
      folder_ / "both.cpp",
      std::string_view("int run_first();\nint run_second();\n"
                       "int main() { return run_first() == run_second() ? 0 : 1; }\n")));
  shell("g++ both.cpp model_first.o call_first.o model_second.o call_second.o -o both && ./both");
}

TEST_F(Library, RefusesAFolderThatCannotBeMadeBeforeAnythingIsBuilt) {
  const auto refusal = [](const fs::path& folder) {
    const auto checked = check_library_folder(folder);
    return checked ? "accepted" : checked.error().message;
  };
  EXPECT_THAT(refusal(""), HasSubstr("has no name"));
  EXPECT_EQ(refusal(scratch_.path() / "a" / "b" / ""), "accepted");
  ASSERT_TRUE(write_atomically(scratch_.path() / "file", std::string_view("")));
  EXPECT_THAT(refusal(scratch_.path() / "file" / "a" / "b"), HasSubstr("no folder can be made in"));
  fs::create_directory(scratch_.path() / "empty");
  EXPECT_EQ(refusal(scratch_.path() / "empty"), "accepted");
  fs::create_directory_symlink(scratch_.path() / "empty", scratch_.path() / "link");
  EXPECT_THAT(refusal(scratch_.path() / "link"), HasSubstr("exists already"));
}

TEST_F(Library, LeavesAFolderWithFilesAlone) {
  fs::create_directories(folder_);
  ASSERT_TRUE(write_atomically(folder_ / "mine.txt", std::string_view("mine")));
  const auto written = write_library({{"model.cpp", "int x;"}}, folder_);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::bad_input);
  EXPECT_THAT(written.error().message, HasSubstr("exists already and is not an empty folder"));
  EXPECT_FALSE(fs::exists(folder_ / "model.cpp"));

  fs::remove(folder_ / "mine.txt");
  const auto empty = write_library({{"model.cpp", "int x;"}}, folder_ / "");
  EXPECT_TRUE(empty) << empty.error().message;
  EXPECT_EQ(read_text(folder_ / "model.cpp").value_or(""), "int x;");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.parent_path()), {}), 1);
}

}  // namespace
}  // namespace assay::test
