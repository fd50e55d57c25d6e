// The worker as harness uses it: a process with a description and a folder, on real data. Trainings
// are tiny; what matters are the files, their bytes, the messages and the exit codes.
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "compress/models/head.hpp"
#include "compress/onnx/model.hpp"
#include "harness/core/hash.hpp"
#include "tests/compress/train/worker.hpp"

namespace assay {
namespace {

using ::testing::AnyOf;
using ::testing::ContainsRegex;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Ne;

TEST_F(Worker, TrainsTheSameBytesTwiceAndTellsHowFarItIs) {
  const fs::path first = stage("first", tiny_training());
  const Json event = Json::parse(last_output_.substr(0, last_output_.find('\n')));
  EXPECT_EQ(event["event"], "progress");
  EXPECT_EQ(event["fraction"], 0.5);
  EXPECT_THAT(event["message"].get<std::string>(),
              ContainsRegex("^epoch 1/2: loss [0-9.]+, validation [0-9.]+ %, [0-9]+ images/s, "
                            "[0-9]+ s left$"));
  const fs::path second = stage("second", tiny_training());
  for (const char* file : {"model.onnx", "training.json"}) {
    EXPECT_FALSE(text(first / file).empty()) << file;
    EXPECT_EQ(text(first / file), text(second / file)) << file;
  }
  const Json training = json(first / "training.json");
  EXPECT_EQ(training["epochs"].size(), 2U);
  EXPECT_GT(training["epochs"][1]["validation_accuracy"], 0.3);
  EXPECT_EQ(training["epochs"][1]["loss"], training["epochs"][1]["task_loss"]);
  EXPECT_LT(training["epochs"][1]["task_loss"], training["epochs"][0]["task_loss"]);
  EXPECT_GT(training["epochs"][0]["learning_rate"], 0);
  for (const char* absent : {"divergence", "hint", "validation_error"})
    EXPECT_FALSE(training["epochs"][1].contains(absent)) << absent;
  EXPECT_FALSE(training.contains("distill"));
  EXPECT_EQ(training["train"]["images"], 1024);
  EXPECT_THAT(training["environment"]["cpu_capability"],
              AnyOf(Json("default"), Json("avx2"), Json("avx512")));
  const Json log = json(first / "log.json");
  EXPECT_GT(log["seconds"], 0);
  EXPECT_GT(log["cpu_seconds"], 0);
  EXPECT_GT(log["peak_rss_bytes"], 50'000'000);
}

TEST_F(Worker, ImportsAFileAndTrainsItsHead) {
  const fs::path file = stage("elsewhere", tiny_training()) / "model.onnx";
  const fs::path imported = stage("imported", ImportStage{file, *sha256_file(file)});
  TrainStage work = tiny_training();
  TransferStart start;
  start.model = imported / "model.onnx";
  start.freeze = TransferStart::Freeze::all_but_head;
  work.start = start;
  const fs::path trained = stage("trained", work);
  const auto before = onnx::read_model(imported / "model.onnx").value();
  const auto after = onnx::read_model(trained / "model.onnx").value();
  EXPECT_EQ(after.metadata.at("assay.dataset"), "fashion-mnist");
  const auto head = find_head(after, "trained").value();
  std::size_t changed = 0;
  for (const auto& [name, tensor] : after.initializers) {
    if (tensor == before.initializers.at(name)) continue;
    EXPECT_TRUE(name.starts_with(head + ".")) << name;
    ++changed;
  }
  EXPECT_EQ(changed, 2U);

  const auto stale = run(command(
      [&] {
        StageDescription description;
        description.work = ImportStage{file, std::string(64, '0')};
        return to_json(description).dump();
      }(),
      "stale"));
  EXPECT_EQ(stale.exit_code, 2);
  EXPECT_THAT(stale.errors, HasSubstr("has changed since the run was planned"));
}

TEST_F(Worker, DistilsQuantizesAndEvaluates) {
  const fs::path teacher = stage("teacher", tiny_training());
  const fs::path logits = stage("logits", LogitsStage{teacher / "model.onnx"});
  EXPECT_EQ(fs::file_size(logits / "logits.bin"), 55'000U * 10 * sizeof(float));
  EXPECT_EQ(json(logits / "logits.json")["images"], 55'000);

  TrainStage student = tiny_training();
  student.learning.distill = DistillSettings{};
  student.learning.teacher_logits = {logits / "logits.bin"};
  const fs::path distilled = stage("student", student);
  EXPECT_NE(text(distilled / "model.onnx"), text(teacher / "model.onnx"));
  const Json training = json(distilled / "training.json");
  EXPECT_GT(training["epochs"][0]["divergence"], 0);
  EXPECT_EQ(training["distill"]["T"], 4);

  const fs::path quantized =
      stage("int8", QuantizeStage{distilled / "model.onnx", QuantizeSettings{}, {}});
  const auto model = onnx::read_model(quantized / "model.onnx");
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_TRUE(model->initializer("conv1.weight.quantized"));
  EXPECT_EQ(json(quantized / "quantization.json")["activations"]["relu1.output"]["zero_point"],
            -128);

  const Json real =
      json(stage("real", EvaluateStage{distilled / "model.onnx"}) / "evaluation.json");
  const Json steps =
      json(stage("steps", EvaluateStage{quantized / "model.onnx"}) / "evaluation.json");
  EXPECT_EQ(real["test"]["count"], 10'000);
  EXPECT_EQ(real["validation"]["count"], 5'000);
  // Folding the batch normalization may turn a near tie.
  EXPECT_NEAR(real["validation"]["accuracy_top1"].get<double>(),
              training["epochs"][1]["validation_accuracy"].get<double>(), 2.0 / 5'000);
  EXPECT_NEAR(real["test"]["accuracy_top1"].get<double>(),
              steps["test"]["accuracy_top1"].get<double>(), 0.01);
}

TEST_F(Worker, TeachesByNetworksWithHints) {
  TrainStage other = tiny_training();
  other.learning.seed = 2;
  TrainStage student = tiny_training();
  student.learning.seed = 3;
  student.learning.distill = DistillSettings{};
  student.learning.distill->hints = {{"relu1", "relu1"}};
  student.learning.teacher_models = {stage("one", tiny_training()) / "model.onnx",
                                     stage("two", other) / "model.onnx"};
  const Json training = json(stage("student", student) / "training.json");
  EXPECT_GT(training["epochs"][0]["divergence"], 0);
  EXPECT_LT(training["epochs"][1]["hint"], training["epochs"][0]["hint"]);
  EXPECT_EQ(training["distill"]["hints"], (Json{{"relu1", "relu1"}}));
}

TEST_F(Worker, TrainsAJointTeacherAndKeepsIt) {
  TrainStage work = tiny_training();
  work.learning.distill = DistillSettings{};
  work.learning.distill->teacher = TeacherTraining::joint;
  work.joint_teacher = JointTeacherChoice{{"conv5", 5, 30}, 5};
  const fs::path out = stage("joint", work);
  EXPECT_GT(json(out / "training.json")["epochs"][1]["validation_accuracy"], 0.3);
  for (const char* file : {"model.onnx", "teacher.onnx"}) {
    const auto model = onnx::read_model(out / file);
    ASSERT_TRUE(model) << model.error().message;
    const onnx::Tensor* beta = model->initializer("conv1.norm.beta");
    ASSERT_TRUE(beta) << file;
    EXPECT_THAT(beta->as<float>(), Each(Ne(0))) << file;  // where they start
  }
}

TEST_F(Worker, EveryObserverQuantizes) {
  const fs::path trained = stage("trained", tiny_training());
  for (Observer observer : {Observer::moving_average, Observer::percentile, Observer::mse}) {
    const std::string name(to_string(observer));
    const fs::path quantized = stage(
        name, QuantizeStage{trained / "model.onnx", {.observer = observer, .samples = 64}, {}});
    const Json report = json(quantized / "quantization.json");
    EXPECT_EQ(report["observer"], name);
    EXPECT_GT(report["activations"]["relu1.output"]["high"], 0) << name;
  }
}

TEST_F(Worker, EverySchemeQuantizesAndEvaluates) {
  const fs::path trained = stage("trained", tiny_training());
  const Json real = json(stage("real", EvaluateStage{trained / "model.onnx"}) / "evaluation.json");
  for (Scheme scheme :
       {Scheme::none, Scheme::dynamic, Scheme::float16, Scheme::int16_activations}) {
    const std::string name(to_string(scheme));
    const fs::path quantized =
        stage(name, QuantizeStage{trained / "model.onnx", {.scheme = scheme, .samples = 64}, {}});
    EXPECT_EQ(json(quantized / "quantization.json")["scheme"], name);
    const Json written = json(stage(name + "-evaluated", EvaluateStage{quantized / "model.onnx"}) /
                              "evaluation.json");
    EXPECT_NEAR(real["test"]["accuracy_top1"].get<double>(),
                written["test"]["accuracy_top1"].get<double>(), 0.005)
        << name;
  }
}

struct Failure {
  const char* name;
  const char* description;
  int exit_code;
  const char* message;
};

class WorkerFailures : public Worker, public ::testing::WithParamInterface<Failure> {};

TEST_P(WorkerFailures, SayOneSentenceAndLeaveNothing) {
  ProcessSpec spec = command(GetParam().description, "out");
  spec.working_directory = scratch_->path();
  EXPECT_TRUE(write_atomically(scratch_->path() / "bad.onnx", "not a model"));
  EXPECT_TRUE(write_atomically(scratch_->path() / "short.bin", "1234"));
  const ProcessOutcome outcome = run(spec);
  EXPECT_EQ(outcome.exit_code, GetParam().exit_code);
  EXPECT_THAT(outcome.errors, HasSubstr(GetParam().message));
  EXPECT_EQ(std::count(outcome.errors.begin(), outcome.errors.end(), '\n'), 1) << outcome.errors;
  EXPECT_TRUE(fs::is_empty(folder("out")));
}

INSTANTIATE_TEST_SUITE_P(
    Worker, WorkerFailures,
    ::testing::Values(Failure{"Malformed", "{\"kind\": ", 2, "is not valid JSON"},
                      Failure{"UnknownField", R"({"kind": "train", "data": "fashion-mnist",
                                    "model": {"family": "conv5"}, "epochs": 3})",
                              2, "epochs: unknown field"},
                      Failure{"UnknownData", R"({"kind": "train", "data": "mnist-in-oil",
                                   "model": {"family": "conv5"}})",
                              2, "mnist-in-oil"},
                      Failure{"UnknownFamily", R"({"kind": "train", "data": "fashion-mnist",
                                     "model": {"family": "conv6"}})",
                              2, "conv6"},
                      Failure{"AbsentDevice", R"({"kind": "train", "data": "fashion-mnist",
                                    "device": "cuda", "model": {"family": "conv5"}})",
                              2, "asks for the device cuda, which Torch does not find"},
                      Failure{"ChangedData", R"({"kind": "evaluate", "data": "fashion-mnist",
                                   "fingerprint": "1a2b", "inputs": {"model": "none.onnx"}})",
                              2, "fashion-mnist changed while the run was going; run again"},
                      Failure{"MissingModel", R"({"kind": "evaluate", "data": "fashion-mnist",
                                    "inputs": {"model": "none.onnx"}})",
                              2, "none.onnx"},
                      Failure{"NotAModel", R"({"kind": "quantize", "data": "fashion-mnist",
                                 "inputs": {"model": "bad.onnx"}})",
                              2, "bad.onnx"},
                      Failure{"LogitsOfAnotherSet", R"({"kind": "train", "data": "fashion-mnist",
                                          "model": {"family": "conv5"}, "distill": {},
                                          "inputs": {"teacher_logits": "short.bin"}})",
                              2, "short.bin hold 4 bytes"},
                      Failure{"NoTeacher", R"({"kind": "train", "data": "fashion-mnist",
                                 "model": {"family": "conv5"}, "distill": {}, "inputs": {}})",
                              2, "distillation needs teacher_logits or teacher_model"},
                      Failure{"TeacherIsNotAModel", R"({"kind": "train", "data": "fashion-mnist",
                                          "model": {"family": "conv5"}, "distill": {},
                                          "inputs": {"teacher_model": "bad.onnx"}})",
                              2, "bad.onnx"}),
    [](const auto& test) { return test.param.name; });

TEST_F(Worker, NamesAMissingDataSet) {
  StageDescription description;
  description.work = tiny_training();
  ProcessSpec spec = command(to_json(description).dump(), "out");
  spec.environment["ASSAY_DATA"] = folder("empty").string();
  const ProcessOutcome outcome = run(spec);
  EXPECT_EQ(outcome.exit_code, exit_code(ErrorKind::bad_input));
  EXPECT_THAT(outcome.errors, HasSubstr("empty"));
}

TEST_F(Worker, NeedsItsOutputFolder) {
  StageDescription description;
  description.work = tiny_training();
  ProcessSpec spec = command(to_json(description).dump(), "out");
  spec.arguments.back() += "/missing";
  const ProcessOutcome outcome = run(spec);
  EXPECT_EQ(outcome.exit_code, exit_code(ErrorKind::bad_input));
  EXPECT_THAT(outcome.errors, HasSubstr("no such folder"));
}

TEST_F(Worker, NeedsItsFolderForCheckpoints) {
  StageDescription description;
  description.work = tiny_training();
  ProcessSpec spec = command(to_json(description).dump(), "out");
  const std::string missing = (scratch_->path() / "missing").string();
  spec.arguments.insert(spec.arguments.end(), {"--checkpoints", missing});
  const ProcessOutcome outcome = run(spec);
  EXPECT_EQ(outcome.exit_code, exit_code(ErrorKind::bad_input));
  EXPECT_EQ(outcome.errors, "--checkpoints " + missing + ": no such folder\n");
  EXPECT_TRUE(fs::is_empty(folder("out")));
}

/// CPU time of all processes that were started and have ended.
double seconds_of_children() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  return double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/// Starts a worker, sends it SIGINT at its first line of output, and waits for its end.
int interrupt_at_first_line(const ProcessSpec& spec, const fs::path& errors) {
  auto child = ChildProcess::start(spec, errors);
  if (!child) throw std::runtime_error(child.error().message);
  char character = 0;
  while (character != '\n' && ::read(child->output(), &character, 1) == 1) {
  }
  ::kill(child->pid(), SIGINT);
  while (::read(child->output(), &character, 1) == 1) {
  }
  while (child->running())
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return child->stop();
}

TEST_F(Worker, GoesOnAfterCtrlCWithTheSameBytes) {
  TrainStage work = tiny_training();
  work.learning.settings.epochs = 4;
  const fs::path whole = stage("whole", work);
  StageDescription description;
  description.work = work;
  ProcessSpec spec = command(to_json(description).dump(), "resumed");
  const fs::path checkpoints = folder("checkpoints");
  spec.arguments.insert(spec.arguments.end(), {"--checkpoints", checkpoints.string()});
  const fs::path errors = scratch_->path() / "errors.txt";
  const double before = seconds_of_children();
  EXPECT_EQ(interrupt_at_first_line(spec, errors), exit_code(ErrorKind::interrupted));
  EXPECT_EQ(text(errors), "the training was stopped\n");
  EXPECT_TRUE(fs::is_empty(folder("resumed")));
  EXPECT_TRUE(fs::exists(checkpoints / "checkpoint.pt"));

  const double interrupted = seconds_of_children();
  const ProcessOutcome outcome = run(spec);
  const double after = seconds_of_children();
  EXPECT_EQ(outcome.exit_code, 0) << outcome.errors;
  // More than the second process took, at most what both did.
  const double logged = json(folder("resumed") / "log.json")["cpu_seconds"];
  EXPECT_GT(logged, after - interrupted);
  EXPECT_LE(logged, after - before);
  EXPECT_LT(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 4);
  for (const char* file : {"model.onnx", "training.json"})
    EXPECT_EQ(text(folder("resumed") / file), text(whole / file)) << file;
}

TEST_F(Worker, EndsWhenToldToAndLeavesNoModel) {
  TrainStage work = tiny_training();
  work.learning.settings.epochs = 1000;
  StageDescription description;
  description.work = work;
  ProcessSpec spec = command(to_json(description).dump(), "out");
  std::stop_source source;
  spec.on_output_line = [&](std::string_view) { source.request_stop(); };
  const ProcessOutcome outcome = run(spec, source.get_token());
  EXPECT_TRUE(outcome.cancelled);
  // 128 + SIGTERM or SIGKILL when a loaded machine takes longer than the runner's grace.
  EXPECT_THAT(outcome.exit_code, AnyOf(exit_code(ErrorKind::interrupted), 128 + 15, 128 + 9));
  EXPECT_TRUE(fs::is_empty(folder("out")));
}

}  // namespace
}  // namespace assay
