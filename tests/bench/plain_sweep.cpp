// The rival of sweep_bench: what a plain script does with a matrix of distilled students. In one
// process, one cell after another: train the teacher, then the student, with the teacher's outputs
// computed in the forward pass of every step.
//
//   plain_sweep sweep.json --out models
//
// The trainings are those of compress/train, with the settings, seeds, threads and instruction set
// that assay's worker has, so that the weights must be the same. Nothing is done that a script
// would not do: images are read once, nothing is evaluated but the validation images after each
// epoch, as in the worker, and no checkpoints are written. Leaves <configuration>.onnx of every
// student, and prints the seconds of its parts as JSON.
#include <ATen/ops/from_blob.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>

#include "compress/models/initial_network.hpp"
#include "compress/onnx/fold_batch_norm.hpp"
#include "compress/train/interpreter.hpp"
#include "compress/train/torch_runtime.hpp"
#include "compress/train/trainer.hpp"
#include "harness/core/clock.hpp"
#include "harness/plan/expansion.hpp"
#include "harness/plan/worker_stages.hpp"

namespace {

using namespace assay;
namespace fs = std::filesystem;
using Seconds = std::chrono::duration<double>;

/// The images of all cells.
struct Data {
  DatasetInfo info;
  ImageSet train;
  ImageSet validation;
};

/// Where the time went.
struct Times {
  Seconds teachers{0};  ///< training them
  Seconds outputs{0};   ///< what they put out for the students' batches
  Seconds students{0};  ///< training them, without the outputs
};

/// Adds the time until it dies.
class Stopwatch {
 public:
  explicit Stopwatch(Seconds& sum) : sum_(sum) {}
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() { sum_ += system_clock().now() - start_; }

 private:
  Seconds& sum_;
  Clock::TimePoint start_ = system_clock().now();
};

/// A trained network that computes its outputs for every batch. It runs in the form that the logits
/// stage runs it in, batch normalization folded: other roundings would be other weights.
class ForwardTeacher final : public Teacher {
 public:
  ForwardTeacher(Interpreter network, Seconds& spent)
      : network_(std::move(network)), spent_(spent) {}

  Result<at::Tensor> outputs(std::span<const int>, const at::Tensor& input,
                             NamedTensors*) override {
    const Stopwatch stopwatch(spent_);
    const std::span pixels(input.data_ptr<float>(), std::size_t(input.numel()));
    ASSAY_TRY(std::vector<float> rows, network_.run(pixels, int(input.size(0))));
    return at::from_blob(rows.data(), {input.size(0), std::int64_t(rows.size()) / input.size(0)})
        .clone();
  }
  Status features(const at::Tensor&, NamedTensors&) override { return no_hints(); }
  Result<std::string> output_of(const std::string&) const override { return no_hints(); }

 private:
  static tl::unexpected<Error> no_hints() {
    return fail(ErrorKind::bad_input, "plain_sweep trains without hints");
  }

  Interpreter network_;
  Seconds& spent_;
};

Result<onnx::Model> train(const TrainStage& work, Teacher* teacher, const Data& data) {
  const DatasetInfo& info = data.info;
  ASSAY_TRY(const ModelSpec spec, build_model(std::get<ModelChoice>(work.start), info.channels,
                                              info.height, info.width, info.outputs));
  ASSAY_TRY(const onnx::Model start,
            initial_network(spec, work.learning.seed, {info.name, info.normalization}));
  ASSAY_TRY(TrainableNetwork network, TrainableNetwork::create(start, spec.name));
  const Preprocessor preprocessor(info.normalization);
  const TrainingTask task{.network = network,
                          .methods = {},
                          .settings = work.learning.settings,
                          .distill = work.learning.distill,
                          .teacher = teacher,
                          .train = data.train,
                          .validation = data.validation,
                          .preprocessor = preprocessor,
                          .seed = work.learning.seed,
                          .checkpoints = {},
                          .identity = {}};
  ASSAY_CHECK(train_network(task, [](double, const std::string&) {}, {}));
  return network.model();
}

/// One distilled student, its teacher included.
Result<onnx::Model> train_cell(const Config& config, const Data& data, Times& times) {
  ASSAY_TRY(const TrainStage teacher_work, train_work(config.teacher()));
  ASSAY_TRY(const TrainStage student_work, train_work(config));
  onnx::Model teacher_model;
  {
    const Stopwatch stopwatch(times.teachers);
    ASSAY_TRY(const onnx::Model trained, train(teacher_work, nullptr, data));
    ASSAY_TRY(teacher_model, onnx::fold_batch_norm(trained));
  }
  ASSAY_TRY(Interpreter network, Interpreter::create(teacher_model, "the teacher"));
  ForwardTeacher teacher(std::move(network), times.outputs);
  Seconds both{0};
  const Seconds outputs_before = times.outputs;
  Result<onnx::Model> student = [&] {
    const Stopwatch stopwatch(both);
    return train(student_work, &teacher, data);
  }();
  times.students += both - (times.outputs - outputs_before);
  return student;
}

Result<Times> run(const fs::path& matrix_file, const fs::path& out) {
  ASSAY_TRY(const Matrix matrix, load_matrix(matrix_file));
  ASSAY_TRY(const Expansion expansion, expand(matrix));
  const std::string name = expansion.configs.front().at("data");
  Data data;
  ASSAY_TRY(data.info, find_dataset(name));
  ASSAY_TRY(data.train, load_split(name, Split::train));
  ASSAY_TRY(data.validation, load_split(name, Split::validation));
  Times times;
  for (const Config& config : expansion.configs) {
    ASSAY_TRY(const onnx::Model student, train_cell(config, data, times));
    ASSAY_CHECK(onnx::write_model(student, out / (config.label() + ".onnx")));
  }
  return times;
}

int report(const Error& error) {
  fmt::print(stderr, "plain_sweep: {}\n", error.message);
  return exit_code(error.kind);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains the distilled students of a matrix, and a teacher for each, in one process");
  fs::path matrix;
  fs::path out;
  app.add_option("matrix", matrix, "Matrix of distilled students of one data set")->required();
  app.add_option("--out", out, "Folder for the students' models")->required();
  CLI11_PARSE(app, argc, argv);
  const StageDescription worker;  // as assay starts it
  if (const Status pinned = pin_cpu_level(worker.cpu, argv); !pinned) return report(pinned.error());
  set_torch_threads(worker.threads);
  const Result<Times> times = run(matrix, out);
  if (!times) return report(times.error());
  const Json parts = {{"teachers", times->teachers.count()},
                      {"outputs", times->outputs.count()},
                      {"students", times->students.count()}};
  fmt::print("{}\n", parts.dump());
  return 0;
}
