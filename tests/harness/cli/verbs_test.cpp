// Help, listings and a whole measurement, as a user meets them; nothing here trains.
#include <gtest/gtest.h>

#include <regex>

#include "harness/core/json.hpp"
#include "harness/core/part.hpp"
#include "harness/core/paths.hpp"
#include "tests/harness/cli/models.hpp"
#include "tests/harness/cli/user.hpp"

namespace assay::test {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> verbs{"run",   "plan",      "measure", "boards", "results", "report",
                                     "bench", "calibrate", "cache",   "data",   "doctor"};

TEST(Help, OfTheProgramListsEveryVerbAndTheExitCodes) {
  const User user;
  const auto answer = user.run({"--help"});
  EXPECT_EQ(answer.exit_code, 0);
  EXPECT_EQ(answer.errors, "");
  for (const auto& verb : verbs)
    EXPECT_THAT(answer.output, HasSubstr("\n  " + verb + " "));
  EXPECT_THAT(answer.output, HasSubstr("130 interrupted"));
}

TEST(Help, OfEveryVerbShowsAnExampleOfIt) {
  const User user;
  for (const auto& verb : verbs) {
    const auto answer = user.run({verb, "--help"});
    EXPECT_EQ(answer.exit_code, 0) << verb;
    EXPECT_THAT(answer.output, HasSubstr("Example:\n  assay " + verb)) << verb;
    EXPECT_THAT(answer.output, HasSubstr("Exit codes: 0 done")) << verb;
  }
  EXPECT_THAT(user.project_files(), ::testing::IsEmpty());
}

Json parsed(const User& user, const std::vector<std::string>& arguments, int exit_code = 0) {
  const auto answer = user.run(arguments);
  EXPECT_EQ(answer.exit_code, exit_code) << arguments[0] << ": " << answer.errors;
  Json json = Json::parse(answer.output, nullptr, false);
  EXPECT_FALSE(json.is_discarded()) << arguments[0] << ": " << answer.output;
  return json;
}

TEST(Listings, AreJsonBeforeThereIsAnything) {
  const User user;
  EXPECT_EQ(parsed(user, {"boards", "--json"}), Json::array());
  EXPECT_EQ(parsed(user, {"cache", "du", "--json"}).at("kinds"), Json::object());
  for (const Json& type : parsed(user, {"boards", "--types", "--json"})) {
    EXPECT_GT(type.at("ram_bytes"), 0) << type;
    const bool is_file = load_part(type.at("part"))->runs_linux();
    EXPECT_EQ(type.value("flash_bytes", 0) > 0, !is_file) << type;
  }
  for (const Json& finding : parsed(user, {"doctor", "--json"}, can_train() ? 0 : 3))
    EXPECT_TRUE(finding.at("detail").is_string()) << finding;
  EXPECT_TRUE(parsed(user, {"plan", "--schema"}).contains("properties"));
}

TEST(Output, ThatNobodyReadsToItsEndEndsQuietly) {
  const User user;
  ProcessSpec spec = user.command({});
  spec.arguments = {"sh", "-c",
                    "\"$1\" boards --types --json | true; \"$1\" plan --schema | head -c 1", "sh",
                    own_program("assay").string()};
  const auto outcome = run_process(spec);
  ASSERT_TRUE(outcome) << outcome.error().message;
  EXPECT_EQ(outcome->exit_code, 0);
  EXPECT_EQ(outcome->output, "{");
  EXPECT_EQ(outcome->errors, "");
}

TEST(Plan, AsJsonNamesCellsAndStagesAndLeavesNothingBehind) {
  const User user;
  user.write("m.json", R"({"name": "m", "sweep": {"student.cut": [5, 4]}, "deploy": {"on": [
      {"board_type": "stm32f405", "virtual": true}, {"board_type": "stm32f030cc"}]}})");
  const Json plan = parsed(user, {"plan", "m.json", "--json"});
  EXPECT_EQ(plan.at("cells").size(), 4U);
  EXPECT_GT(plan.at("estimated_seconds"), 0);
  for (const Json& stage : plan.at("stages"))
    EXPECT_EQ(stage.at("cached"), false) << stage;
  EXPECT_EQ(user.project_files(), std::set<std::string>{"m.json"});
}

TEST(Plan, EstimatesTheFitOfEveryScheme) {
  const User user;
  user.write("m.json", R"({"name": "m", "base": {"student.cut": 5}, "sweep": {
      "quantize.scheme": ["none", "float16", "dynamic"]}, "deploy": {"on": [
      {"board_type": "stm32f405", "virtual": true}]}})");
  const Json cells = parsed(user, {"plan", "m.json", "--json"}).at("cells");
  ASSERT_EQ(cells.size(), 3U);
  EXPECT_GT(cells[0].at("flash_bytes"), cells[1].at("flash_bytes"));
  EXPECT_GT(cells[1].at("flash_bytes"), cells[2].at("flash_bytes"));
}

TEST(Measure, ToldInJsonIsWhatTheListingsTellLater) {
  const User user;
  user.write("boards.json",
             R"({"boards": [{"name": "desk-a", "type": "stm32f030cc", "virtual": true}]})");
  user.write("model.onnx", small_model());
  EXPECT_EQ(parsed(user, {"boards", "--json"}).at(0).at("name"), "desk-a");

  const std::vector<std::string> measure{"measure", "model.onnx", "--on", "desk-a",
                                         "--json",  "--samples",  "8"};
  const Json record = parsed(user, measure).at("records").at(0);
  EXPECT_EQ(record.at("verdict"), "pass");
  EXPECT_EQ(record.at("board"), "desk-a");
  EXPECT_EQ(record.at("metrics").at("samples_confirmed").at("value"), 8);
  EXPECT_EQ(parsed(user, {"results", "--json"}).at("records"), Json::array({record}));
  const Json kinds = parsed(user, {"cache", "du", "--json"}).at("kinds");
  EXPECT_EQ(kinds.at("firmware").at("results"), 1);
  EXPECT_EQ(kinds.at("evaluate").at("results"), 1);
  EXPECT_EQ(kinds.at("trial").at("results"), 1);

  // What the choice of kernels was for, and what each layer got.
  const Json& build = record.at("build");
  EXPECT_EQ(build.at("goal"), Json({{"optimize", "latency"}}));
  double modelled = 0;
  ASSERT_EQ(build.at("layers").size(), 3U);
  for (const Json& layer : build.at("layers")) {
    for (const char* figure : {"constant_bytes", "code_bytes", "modelled_cycles", "macc"})
      EXPECT_GT(layer.at(figure), 0) << layer;
    EXPECT_NE(layer.at("form"), "none");
    for (const Json& other : layer.at("alternatives")) {
      EXPECT_GE(other.at("modelled_cycles"), layer.at("modelled_cycles")) << layer;
      EXPECT_NE(other.at("why_not"), "");
    }
    modelled += layer.at("modelled_cycles").get<double>();
  }
  // The layers one by one on made-up inputs, and the same in a row on an image.
  const double cycles = record.at("metrics").at("cycles").at("value");
  EXPECT_NEAR(modelled, cycles, cycles / 20);

  // Once more: nothing is built, and the record stays the only one.
  const auto stages = user.stages();
  const auto again = user.run(measure);
  EXPECT_EQ(again.exit_code, 0) << again.errors;
  EXPECT_EQ(user.stages(), stages);
  EXPECT_EQ(parsed(user, {"results", "--json"}).at("records").size(), 1U);
  EXPECT_THAT(user.processes(), ::testing::IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(user.temporary()));
}

// A part whose core the engine lacks runs on one with the same instructions, and the record says
// so.
TEST(Measure, SaysWhichCoreExecutedIt) {
  const User user;
  user.write("model.onnx", small_model());
  struct Executed {
    const char* part;
    const char* as;
  };
  for (const Executed& executed :
       {Executed{"stm32g0b1", "cortex-m0"}, Executed{"stm32u575", "cortex-m33"}}) {
    const Json record =
        parsed(user, {"measure", "model.onnx", "--on", std::string("virtual:") + executed.part,
                      "--json", "--samples", "8"})
            .at("records")
            .at(0);
    EXPECT_EQ(record.at("verdict"), "pass") << executed.part;
    EXPECT_EQ(record.at("metrics").at("samples_confirmed").at("value"), 8) << executed.part;
    EXPECT_EQ(record.at("environment").at("board").at("executed_as"), executed.as);
  }
}

TEST(Measure, RunsInTheLeastRamThatItNames) {
  const User user;
  user.write("model.onnx", small_model());
  const auto measure = [&](const std::string& budget) {
    return user.run({"measure", "model.onnx", "--on", "virtual:stm32f405", "--samples", "2",
                     "--explain", "--ram-budget", budget});
  };
  const auto refused = measure("1");
  EXPECT_EQ(refused.exit_code, 2);
  std::smatch least;
  ASSERT_TRUE(
      std::regex_search(refused.errors, least, std::regex("need at least ([0-9]+) bytes of RAM")))
      << refused.errors;
  const auto measured = measure(least[1]);
  EXPECT_EQ(measured.exit_code, 0) << measured.errors;
  EXPECT_THAT(measured.output,
              HasSubstr(": " + least[1].str() + " bytes of arena instead of at least"));
}

TEST(Measure, ExplainsTheKernelsAndSharesTheTrialWithExport) {
  const User user;
  user.write("model.onnx", small_model());
  const auto measured = user.run({"measure", "model.onnx", "--on", "virtual:stm32f405", "--samples",
                                  "2", "--explain", "--optimize", "flash"});
  EXPECT_EQ(measured.exit_code, 0) << measured.errors;
  EXPECT_THAT(measured.output, ::testing::ContainsRegex("layer +shape +MACC +kernel"));
  EXPECT_THAT(measured.output, ::testing::ContainsRegex("28x28x1 -> 14x14x4 +[0-9]+ +conv[.]"));
  EXPECT_THAT(measured.output,
              ::testing::ContainsRegex("all layers: [0-9]+ bytes of flash [(]constants and kernel "
                                       "code, counted[)], [0-9]+ cycles [(]modelled[)]"));
  const auto stages = user.stages();

  const auto exported = user.run({"export", "model.onnx", "--part", "stm32f405", "-o", "library"});
  EXPECT_EQ(exported.exit_code, 0) << exported.errors;
  EXPECT_EQ(user.stages(), stages) << "the kernels were tried again";
  for (const char* file : {"model.hpp", "model.cpp", "example.cpp", "README.txt", "LICENSE",
                           "targets/runtime/layer.hpp"})
    EXPECT_TRUE(user.project_files().contains(std::string("library/") + file)) << file;
  EXPECT_FALSE(user.project_files().contains("library/targets/runtime/trial.hpp"));

  struct Refusal {
    std::vector<std::string> arguments;
    std::string words;
  };
  const std::vector<Refusal> refusals{
      {{"export", "model.onnx", "--part", "stm32f405", "-o", "library"},
       "library exists already and is not an empty folder"},
      {{"export", "model.onnx", "--part", "stm32f999", "-o", "other"}, "stm32f999"},
      {{"export", "model.onnx", "--part", "host", "-o", "other", "--optimize", "flash"},
       "--part host has portable kernels only"},
      {{"export", "model.onnx", "--part", "stm32f405", "-o", "other", "--flash-budget", "-1"},
       "expected whole bytes, found -1"},
      {{"export", "model.onnx", "--part", "stm32f405", "-o", "other", "--ram-budget", "010000"},
       "expected whole bytes, found 010000"},
      {{"export", "model.onnx", "--part", "stm32f405", "-o", "other", "--ram-budget", "10"},
       "more than the budget of 10"},
      {{"export", "model.onnx", "--part", "stm32f405", "-o", "other", "--latency-budget", "nan"},
       "expected microseconds above 0, found nan"},
      {{"export", "model.onnx", "--part", "raspberry-pi-4", "-o", "other", "--flash-budget", "9"},
       "a flash, latency or RAM budget cannot be kept on Raspberry Pi 4"}};
  for (const auto& [arguments, words] : refusals) {
    const auto refused = user.run(arguments);
    EXPECT_EQ(refused.exit_code, 2) << words;
    EXPECT_THAT(refused.errors, IsOneSentence(words));
  }
  EXPECT_EQ(user.run({"export", "model.onnx", "--part", "host", "-o", "other"}).exit_code, 0);
  EXPECT_TRUE(user.project_files().contains("other/targets/runtime/reference/convolution.hpp"));
}

TEST(Bench, OfKernelsCountsInt16BesideTheReference) {
  const User user;
  const std::vector<std::string> bench{"bench",   "kernels", "--on",  "virtual:stm32f405",
                                       "--shape", "int16",   "--json"};
  const Json figures = parsed(user, bench);
  ASSERT_EQ(figures.size(), 8U);  // two of a shape, the reference kernel's first
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const Json& figure = figures.at(i);
    SCOPED_TRACE(figure.dump());
    EXPECT_EQ(figure.at("arithmetic"), "int16");
    EXPECT_EQ(figure.at("form"), "int8");
    EXPECT_FALSE(figure.contains("cmsis_nn_instructions_per_mac")) << "nobody counted it";
    for (const char* present : {"words_loaded_per_mac", "cycles_per_mac", "code_bytes",
                                "constant_bytes", "bytes_per_weight"})
      EXPECT_GT(figure.at(present), 0) << present;
    const bool reference = i % 2 == 0;
    const auto kernel = figure.at("kernel").get<std::string>();
    EXPECT_EQ(kernel.ends_with(".int16.reference"), reference) << kernel;
    EXPECT_EQ(kernel.ends_with(".int16.smlad"), !reference) << kernel;
    if (reference) continue;
    EXPECT_LT(figure.at("instructions"), figures.at(i - 1).at("instructions").get<double>() / 3);
  }
}

TEST(Bench, OfKernelsRefusesAShapeThatIsNone) {
  const User user;
  const auto answer = user.run({"bench", "kernels", "--shape", "int17"});
  EXPECT_EQ(answer.exit_code, 2);
  EXPECT_THAT(answer.errors, IsOneSentence("no benchmark shape has \"int17\" in its name"));
}

TEST(Bench, OfNetworksNamesWhatOthersPublished) {
  const User user;
  const Json networks = parsed(
      user, {"bench", "networks", "--on", "virtual:stm32l4r5", "--network", "ds-cnn", "--json"});
  ASSERT_EQ(networks.size(), 1U);
  const Json& network = networks.at(0);
  EXPECT_EQ(network.at("published").size(), 3U);
  for (const Json& figure : network.at("published")) {
    EXPECT_THAT(figure.at("source").get<std::string>(), HasSubstr("MLPerf Tiny"));
    EXPECT_GT(figure.at("latency_ms"), 0);
  }
  EXPECT_GT(network.at("latency_ms"), 0);
  EXPECT_FALSE(network.at("cycle_model").contains("band_pct"));
  EXPECT_EQ(network.at("ram_bytes"), network.at("ram_model_bytes").get<double>() +
                                         network.at("ram_static_bytes").get<double>());
}

TEST(Bench, OfNetworksUnderLinuxLeavesOutWhatAnEmulatorCannotTell) {
  const User user;
  const std::vector<std::string> bench{
      "bench", "networks", "--on", "virtual:raspberry-pi-4", "--network", "conv5 cut4 width50"};
  auto with_json = bench;
  with_json.push_back("--json");
  const Json network = parsed(user, with_json).at(0);
  EXPECT_GT(network.at("instructions"), 0);
  EXPECT_GT(network.at("ram_arena_bytes"), 0);
  for (const char* unknown : {"ram_bytes", "ram_model_bytes", "ram_stack_bytes", "cycles",
                              "latency_ms", "words_loaded", "cycle_model"})
    EXPECT_FALSE(network.contains(unknown)) << unknown;
  const auto printed = user.run(bench);
  EXPECT_EQ(printed.exit_code, 0) << printed.errors;
  EXPECT_THAT(printed.output, HasSubstr("bytes are counted\n"));
  EXPECT_THAT(printed.output, ::testing::Not(HasSubstr("~latency:")));
  EXPECT_THAT(printed.output, ::testing::Not(HasSubstr("modelled")));
}

TEST(Measure, UnderLinuxChoosesKernelsByInstructions) {
  const User user;
  user.write("model.onnx", small_model());
  const std::vector<std::string> measure{
      "measure", "model.onnx", "--on", "virtual:raspberry-pi-4", "--samples", "2"};
  auto with_json = measure;
  with_json.push_back("--json");
  const Json record = parsed(user, with_json).at("records").at(0);
  double counted = 0;
  for (const Json& layer : record.at("build").at("layers")) {
    EXPECT_FALSE(layer.contains("modelled_cycles")) << layer;
    EXPECT_GT(layer.at("code_bytes"), 0) << layer;
    for (const Json& other : layer.at("alternatives"))
      EXPECT_GE(other.at("instructions"), layer.at("instructions")) << layer;
    counted += layer.at("instructions").get<double>();
  }
  // The layers one by one on made-up inputs, and the same in a row on an image.
  const double executed = record.at("metrics").at("instructions").at("value");
  EXPECT_NEAR(counted, executed, executed / 20);
  EXPECT_THAT(record.at("environment").at("notices").dump(),
              HasSubstr("instructions they execute, which are not"));

  auto explained = measure;
  explained.push_back("--explain");
  EXPECT_THAT(user.run(explained).output,
              HasSubstr(" instructions executed (counted), which are not time"));
  const auto stages = user.stages();
  const auto exported =
      user.run({"export", "model.onnx", "--part", "raspberry-pi-4", "-o", "library"});
  EXPECT_EQ(exported.exit_code, 0) << exported.errors;
  EXPECT_EQ(user.stages(), stages) << "the kernels were tried again";
}

TEST(Measure, OfABoardUnderLinuxLeavesOutWhatAnEmulatorCannotTell) {
  const User user;
  user.write("model.onnx", small_model());
  const Json record = parsed(user, {"measure", "model.onnx", "--on", "virtual:raspberry-pi-4",
                                    "--json", "--samples", "8"})
                          .at("records")
                          .at(0);
  EXPECT_EQ(record.at("verdict"), "pass");
  EXPECT_EQ(record.at("part"), "raspberry-pi-4");
  const Json& metrics = record.at("metrics");
  EXPECT_EQ(metrics.at("samples_confirmed").at("value"), 8);
  EXPECT_GT(metrics.at("rom_bytes").at("value"), metrics.at("rom_weights_bytes").at("value"));
  for (const char* unknown :
       {"cycles", "latency_us", "energy_uj", "ram_bytes", "ram_stack_bytes", "rss_peak_bytes"})
    EXPECT_FALSE(metrics.contains(unknown)) << unknown;
  EXPECT_EQ(metrics.at("instructions").at("provenance"), "counted");
  const Json& board = record.at("environment").at("board");
  EXPECT_THAT(board.at("emulator"), HasSubstr("qemu-aarch64"));
  EXPECT_FALSE(board.contains("core_clock_hz"));

  const auto clocked =
      user.run({"measure", "model.onnx", "--on", "virtual:raspberry-pi-4", "--clock-mhz", "100"});
  EXPECT_EQ(clocked.exit_code, 2);
  EXPECT_THAT(clocked.errors, HasSubstr("--clock-mhz: the operating system"));
}

}  // namespace
}  // namespace assay::test
