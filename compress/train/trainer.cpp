#include "compress/train/trainer.hpp"

#include <fmt/format.h>
#include <torch/optim/adamw.h>
#include <torch/utils.h>

#include <chrono>
#include <cmath>
#include <numeric>
#include <random>

#include "compress/data/score.hpp"
#include "compress/train/checkpoint.hpp"
#include "compress/train/hints.hpp"
#include "compress/train/losses.hpp"
#include "compress/train/tensors.hpp"
#include "harness/core/clock.hpp"

namespace assay {
namespace {

// Adam's usual 0.999 remembers 1000 steps, a third of a short training; 0.98 follows faster.
constexpr double second_moment_decay = 0.98;
constexpr int evaluation_batch = 250;
constexpr int progress_every = 25;  // steps

/// The order in which an epoch visits the images.
class Shuffler {
 public:
  Shuffler(int count, std::uint64_t seed) : generator_(seed), order_(std::size_t(count)) {
    std::iota(order_.begin(), order_.end(), 0);
  }
  void shuffle() {
    for (std::size_t i = order_.size() - 1; i > 0; --i) {
      const std::uint64_t draw = generator_() >> 32;
      std::swap(order_[i], order_[(draw * (i + 1)) >> 32]);
    }
  }
  std::span<const int> batch(int first, int count) const {
    return std::span(order_).subspan(std::size_t(first), std::size_t(count));
  }

 private:
  std::mt19937_64 generator_;
  std::vector<int> order_;
};

/// AdamW with weight decay on convolution and dense weights alone.
std::unique_ptr<torch::optim::AdamW> make_optimizer(const std::vector<at::Tensor>& parameters,
                                                    const TrainSettings& settings) {
  std::vector<at::Tensor> decayed;
  std::vector<at::Tensor> exempt;
  for (const at::Tensor& parameter : parameters)
    (parameter.dim() > 1 ? decayed : exempt).push_back(parameter);
  auto options = [&](double weight_decay) {
    return torch::optim::AdamWOptions(settings.learning_rate)
        .betas({0.9, second_moment_decay})
        .weight_decay(weight_decay);
  };
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(decayed,
                      std::make_unique<torch::optim::AdamWOptions>(options(settings.weight_decay)));
  groups.emplace_back(exempt, std::make_unique<torch::optim::AdamWOptions>(options(0)));
  return std::make_unique<torch::optim::AdamW>(std::move(groups), options(0));
}

/// "3 min 20 s"
std::string duration_text(double seconds) {
  const auto whole = std::int64_t(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  return fmt::format("{} min {} s", whole / 60, whole % 60);
}

class Trainer {
 public:
  Trainer(const TrainingTask& task, Hints hints, const Progress& progress, std::stop_token stop)
      : task_(task),
        hints_(std::move(hints)),
        progress_(progress),
        stop_(std::move(stop)),
        images_(task.settings.images.value_or(task.train.count)),
        steps_per_epoch_(images_ / task.settings.batch),
        shuffler_(images_, task.seed),
        optimizer_(make_optimizer(parameters(), task.settings)) {}

  Result<std::vector<EpochReport>> run() {
    if (task_.settings.epochs == 0) return act_once();
    Json reports = Json::array();
    std::vector<EpochReport> epochs;
    for (int epoch = resume(reports, epochs); epoch < task_.settings.epochs; ++epoch) {
      ASSAY_TRY(EpochReport report, run_epoch(epoch));
      ASSAY_CHECK(check_finite(epoch));
      ASSAY_CHECK(validate(report));
      say(epoch, steps_per_epoch_, report.loss, validation_text(report));
      epochs.push_back(report);
      reports.push_back(to_json(report));
      if (!task_.checkpoints.empty() && epoch + 1 < task_.settings.epochs)
        ASSAY_CHECK(write_checkpoint(task_.checkpoints, {task_.identity, reports, state(), spent()},
                                     *optimizer_));
    }
    return epochs;
  }

 private:
  std::vector<at::Tensor> parameters() const {
    std::vector<at::Tensor> all = task_.network.parameters(task_.methods);
    auto add = [&](const std::vector<at::Tensor>& more) {
      all.insert(all.end(), more.begin(), more.end());
    };
    for (TrainingMethod* method : task_.methods)
      add(method->parameters());
    if (task_.teacher) add(task_.teacher->parameters());
    add(hints_.parameters());
    return all;
  }

  /// Tensors of everything that learns, each owner's names under its own prefix.
  NamedTensors state() const {
    NamedTensors all;
    auto add = [&](const std::string& prefix, const NamedTensors& part) {
      for (const auto& [name, tensor] : part)
        all[prefix + name] = tensor;
    };
    add("network/", task_.network.state());
    for (const TrainingMethod* method : task_.methods)
      add(method->name() + "/", method->state());
    if (task_.teacher) add("teacher/", task_.teacher->state());
    add("hints/", hints_.state());
    return all;
  }

  void restore(const NamedTensors& all) {
    auto part = [&](const std::string& prefix) {
      NamedTensors found;
      for (const auto& [name, tensor] : all)
        if (name.starts_with(prefix)) found[name.substr(prefix.size())] = tensor;
      return found;
    };
    task_.network.restore(part("network/"));
    for (TrainingMethod* method : task_.methods)
      method->restore(part(method->name() + "/"));
    if (task_.teacher) task_.teacher->restore(part("teacher/"));
    hints_.restore(part("hints/"));
  }

  /// Without epochs the methods act as in a single step, and nothing is learned.
  Result<std::vector<EpochReport>> act_once() {
    for (TrainingMethod* method : task_.methods) {
      ASSAY_CHECK(method->begin_step(0, 1));
      method->end_step();
    }
    if (const auto name = non_finite())
      return fail(
          ErrorKind::bad_input,
          fmt::format("{} holds numbers that are not finite; start from another network", *name));
    return std::vector<EpochReport>{};
  }

  /// The first epoch that is still to do.
  int resume(Json& reports, std::vector<EpochReport>& epochs) {
    if (task_.checkpoints.empty()) return 0;
    const auto checkpoint = read_checkpoint(task_.checkpoints, task_.identity, *optimizer_);
    if (!checkpoint || !take_up(*checkpoint, epochs)) {
      optimizer_ = make_optimizer(parameters(), task_.settings);
      return 0;
    }
    if (task_.clock) task_.clock->add(checkpoint->spent);
    reports = checkpoint->epochs;
    for (std::size_t i = 0; i < epochs.size(); ++i)
      shuffler_.shuffle();
    saved_epochs_ = int(epochs.size());
    return saved_epochs_;
  }

  /// False, and nothing changed, when the checkpoint's tensors or reports are not those of this
  /// program's version.
  bool take_up(const Checkpoint& checkpoint, std::vector<EpochReport>& epochs) {
    NamedTensors before;
    for (const auto& [name, tensor] : state())
      before[name] = tensor.detach().clone();
    try {
      restore(checkpoint.tensors);
      for (const Json& report : checkpoint.epochs)
        epochs.push_back(read_epoch_report(report));
      return true;
    } catch (const std::exception&) {  // a name, a shape or a field that does not fit
      restore(before);
      epochs.clear();
      return false;
    }
  }

  StageTime spent() const { return task_.clock ? task_.clock->spent() : StageTime{}; }

  Status check_stop() const {
    if (stop_.stop_requested()) return fail(ErrorKind::interrupted, "the training was stopped");
    return {};
  }

  void say(int epoch, int step, double loss, const std::string& rest = {}) const {
    const double all = double(task_.settings.epochs) * steps_per_epoch_;
    const double done = double(epoch) * steps_per_epoch_ + step;
    const double here = done - double(saved_epochs_) * steps_per_epoch_;
    const std::chrono::duration<double> spent = system_clock().now() - start_;
    const double speed = here * task_.settings.batch / std::max(spent.count(), 1e-9);
    progress_(done / all, fmt::format("epoch {}/{}: loss {:.3f}{}, {:.0f} images/s, {} left",
                                      epoch + 1, task_.settings.epochs, loss, rest, speed,
                                      duration_text((all - done) * task_.settings.batch / speed)));
  }

  Result<EpochReport> run_epoch(int epoch) {
    for (TrainingMethod* method : task_.methods)
      method->set_training(true);
    shuffler_.shuffle();
    EpochReport sum;
    const std::int64_t steps = std::int64_t(task_.settings.epochs) * steps_per_epoch_;
    for (int step = 0; step < steps_per_epoch_; ++step) {
      ASSAY_CHECK(check_stop());
      const std::int64_t global = std::int64_t(epoch) * steps_per_epoch_ + step;
      set_rate(global, steps);
      for (TrainingMethod* method : task_.methods)
        ASSAY_CHECK(method->begin_step(global, steps));
      ASSAY_CHECK(
          add_step(epoch, shuffler_.batch(step * task_.settings.batch, task_.settings.batch), sum));
      if (!std::isfinite(sum.loss))
        return diverged(
            fmt::format("the loss is no longer a number in epoch {}, step {}", epoch + 1, step + 1),
            epoch);
      if (step % progress_every == progress_every - 1) say(epoch, step + 1, sum.loss / (step + 1));
    }
    sum.learning_rate = rate_;
    sum.loss /= steps_per_epoch_;
    sum.task_loss /= steps_per_epoch_;
    if (sum.divergence) *sum.divergence /= steps_per_epoch_;
    if (sum.hint) *sum.hint /= steps_per_epoch_;
    return sum;
  }

  /// A tensor with something else than finite numbers in it.
  std::optional<std::string> non_finite() const {
    for (const auto& [name, tensor] : state())
      if (!tensor.isfinite().all().item<bool>()) return name;
    return std::nullopt;
  }

  /// No later loss would show what an epoch's last step did.
  Status check_finite(int epoch) const {
    const auto name = non_finite();
    if (!name) return {};
    return diverged(fmt::format("{} is no longer finite after epoch {}", *name, epoch + 1), epoch);
  }

  tl::unexpected<Error> diverged(const std::string& what, int epoch) const {
    const std::string kept =
        task_.checkpoints.empty() || epoch == 0
            ? "there is no earlier checkpoint"
            : fmt::format("{} holds the network after epoch {}",
                          (task_.checkpoints / "checkpoint.pt").string(), epoch);
    return fail(ErrorKind::bad_input, fmt::format("{}; lower the learning rate from {}; {}", what,
                                                  task_.settings.learning_rate, kept));
  }

  void set_rate(std::int64_t step, std::int64_t steps) {
    rate_ = scheduled_rate(task_.settings.schedule, task_.settings.learning_rate, step, steps);
    for (auto& group : optimizer_->param_groups())
      group.options().set_lr(rate_);
  }

  at::Tensor images(const std::vector<float>& values, std::int64_t count) const {
    const ImageSet& set = task_.train;
    return torch::from_blob(const_cast<float*>(values.data()),
                            {count, set.channels, set.height, set.width})
        .to(task_.device);
  }

  Truth truth(std::span<const int> batch) const {
    const auto count = std::int64_t(batch.size());
    if (!task_.train.targets.empty()) return {{}, target_rows(task_.train, batch)};
    at::Tensor labels = torch::empty({count}, torch::kLong);
    for (std::size_t i = 0; i < batch.size(); ++i)
      labels.data_ptr<std::int64_t>()[i] = task_.train.labels[std::size_t(batch[i])];
    return {labels.to(task_.device), {}};
  }

  /// [N][outputs] of a regression.
  at::Tensor target_rows(const ImageSet& set, std::span<const int> batch) const {
    const std::size_t outputs = set.targets.size() / std::size_t(set.count);
    at::Tensor rows = torch::empty({std::int64_t(batch.size()), std::int64_t(outputs)});
    float* out = rows.data_ptr<float>();
    for (const int index : batch)
      out = std::copy_n(set.targets.begin() + std::ptrdiff_t(std::size_t(index) * outputs), outputs,
                        out);
    return rows.to(task_.device);
  }

  Status add_step(int epoch, std::span<const int> batch, EpochReport& sum) {
    task_.preprocessor.gather(task_.train, batch, input_, {task_.augmenter, epoch});
    const at::Tensor input = images(input_, std::int64_t(batch.size()));
    NamedTensors student_taps = hints_.student_taps();
    NamedTensors teacher_taps = hints_.teacher_taps();
    ASSAY_TRY(const at::Tensor outputs,
              task_.network.forward(input, true, task_.methods, &student_taps));
    at::Tensor teacher;
    if (task_.teacher) {
      ASSAY_TRY(teacher, task_.teacher->outputs(batch, input, &teacher_taps));
    }
    Loss loss = training_loss(outputs, truth(batch), teacher, task_.distill);
    if (hints_.any()) {
      ASSAY_TRY(const at::Tensor hint, hints_.loss(student_taps, teacher_taps));
      loss.total = loss.total + task_.distill->hint_weight * hint;
      sum.hint = sum.hint.value_or(0) + hint.item<float>();
    }
    optimizer_->zero_grad();
    loss.total.backward();
    optimizer_->step();
    for (TrainingMethod* method : task_.methods)
      method->end_step();
    sum.loss += loss.total.item<float>();
    sum.task_loss += loss.task.item<float>();
    if (loss.divergence.defined())
      sum.divergence = sum.divergence.value_or(0) + loss.divergence.item<float>();
    return {};
  }

  Status validate(EpochReport& report) {
    const torch::NoGradGuard no_gradients;
    for (TrainingMethod* method : task_.methods)
      method->set_training(false);
    Score score(task_.validation);
    for (int first = 0; first < task_.validation.count; first += evaluation_batch) {
      ASSAY_CHECK(check_stop());
      const int count = std::min(evaluation_batch, task_.validation.count - first);
      task_.preprocessor.slice(task_.validation, first, count, input_);
      ASSAY_TRY(const at::Tensor outputs,
                task_.network.forward(images(input_, count), false, task_.methods));
      ASSAY_CHECK(score.add(first, count, to_vector(outputs)));
    }
    report.validation_accuracy = score.accuracy();
    report.validation_error = score.mean_error();
    return {};
  }

  static std::string validation_text(const EpochReport& report) {
    if (report.validation_error)
      return fmt::format(", validation error {:.4f}", *report.validation_error);
    return fmt::format(", validation {:.1f} %", 100 * report.validation_accuracy.value_or(0));
  }

  const TrainingTask& task_;
  Hints hints_;
  const Progress& progress_;
  std::stop_token stop_;
  Clock::TimePoint start_ = system_clock().now();
  int images_;
  int steps_per_epoch_;
  int saved_epochs_ = 0;
  Shuffler shuffler_;
  std::unique_ptr<torch::optim::AdamW> optimizer_;
  double rate_ = 0;
  std::vector<float> input_;
};

}  // namespace

Result<std::vector<EpochReport>> train_network(const TrainingTask& task, const Progress& progress,
                                               std::stop_token stop) {
  ASSAY_CHECK(images_of(task.settings, task.train.count));
  try {
    const at::Tensor image =
        torch::zeros({1, task.train.channels, task.train.height, task.train.width}).to(task.device);
    ASSAY_TRY(Hints hints,
              Hints::create(task.network, task.teacher, task.distill, image, task.seed));
    return Trainer(task, std::move(hints), progress, std::move(stop)).run();
  } catch (const c10::Error& error) {
    return fail(ErrorKind::infrastructure, fmt::format("the training failed inside Torch: {}",
                                                       error.what_without_backtrace()));
  }
}

}  // namespace assay
