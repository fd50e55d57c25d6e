#include "compress/train/trainer.hpp"

#include <fmt/format.h>
#include <torch/optim/adamw.h>
#include <torch/utils.h>

#include <cmath>
#include <numeric>
#include <random>

#include "compress/train/losses.hpp"
#include "compress/train/network.hpp"

namespace assay {
namespace {

constexpr double warm_up_part = 0.2;
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
torch::optim::AdamW make_optimizer(Network& network, const TrainSettings& settings) {
  std::vector<torch::Tensor> decayed;
  std::vector<torch::Tensor> exempt;
  for (const torch::Tensor& parameter : network.parameters())
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
  return torch::optim::AdamW(std::move(groups), options(0));
}

class Trainer {
 public:
  Trainer(const TrainingTask& task, const std::vector<LayerShape>& shapes, const Progress& progress,
          std::stop_token stop)
      : task_(task),
        progress_(progress),
        stop_(std::move(stop)),
        images_(task.settings.images.value_or(task.train.count)),
        steps_per_epoch_(images_ / task.settings.batch),
        shuffler_(images_, task.seed),
        network_(task.spec, shapes),
        optimizer_(make_optimizer(network_, task.settings)) {}

  Result<TrainedNetwork> run() {
    TrainedNetwork result;
    for (int epoch = 0; epoch < task_.settings.epochs; ++epoch) {
      ASSAY_TRY(EpochReport report, run_epoch(epoch));
      ASSAY_TRY(report.validation_accuracy, validation_accuracy());
      say(epoch, steps_per_epoch_, report.loss,
          fmt::format(", validation {:.1f} %", 100 * report.validation_accuracy));
      result.epochs.push_back(report);
    }
    for (const LayerParameters& layer : network_.layer_parameters())
      result.layers.push_back(layer.shape.empty() ? layer : fold_batch_norm(layer));
    return result;
  }

 private:
  Status check_stop() const {
    if (stop_.stop_requested()) return fail(ErrorKind::interrupted, "the training was stopped");
    return {};
  }

  void say(int epoch, int step, double loss, const std::string& rest = {}) const {
    const double done = double(epoch) * steps_per_epoch_ + step;
    progress_(
        done / (double(task_.settings.epochs) * steps_per_epoch_),
        fmt::format("epoch {}/{}: loss {:.3f}{}", epoch + 1, task_.settings.epochs, loss, rest));
  }

  Result<EpochReport> run_epoch(int epoch) {
    network_.train();
    shuffler_.shuffle();
    EpochReport sum;
    for (int step = 0; step < steps_per_epoch_; ++step) {
      ASSAY_CHECK(check_stop());
      set_rate(std::int64_t(epoch) * steps_per_epoch_ + step);
      add_step(shuffler_.batch(step * task_.settings.batch, task_.settings.batch), sum);
      if (!std::isfinite(sum.loss))
        return fail(ErrorKind::bad_input,
                    fmt::format("the loss is no longer a number in epoch {}; lower "
                                "train.learning_rate from {}",
                                epoch + 1, task_.settings.learning_rate));
      if (step % progress_every == progress_every - 1) say(epoch, step + 1, sum.loss / (step + 1));
    }
    sum.learning_rate = rate_;
    sum.loss /= steps_per_epoch_;
    sum.cross_entropy /= steps_per_epoch_;
    if (sum.divergence) *sum.divergence /= steps_per_epoch_;
    return sum;
  }

  void set_rate(std::int64_t step) {
    rate_ = scheduled_rate(task_.settings.schedule, task_.settings.learning_rate, step,
                           std::int64_t(task_.settings.epochs) * steps_per_epoch_);
    for (auto& group : optimizer_.param_groups())
      group.options().set_lr(rate_);
  }

  torch::Tensor images(const std::vector<float>& values, std::int64_t count) const {
    return torch::from_blob(const_cast<float*>(values.data()),
                            {count, task_.spec.channels, task_.spec.height, task_.spec.width});
  }

  void add_step(std::span<const int> batch, EpochReport& sum) {
    const auto count = std::int64_t(batch.size());
    task_.preprocessor.gather(task_.train, batch, input_);
    torch::Tensor labels = torch::empty({count}, torch::kLong);
    for (std::size_t i = 0; i < batch.size(); ++i)
      labels.data_ptr<std::int64_t>()[i] = task_.train.labels[std::size_t(batch[i])];
    const Loss loss = training_loss(network_.forward(images(input_, count)), labels,
                                    teacher_rows(batch), task_.distill);
    optimizer_.zero_grad();
    loss.total.backward();
    optimizer_.step();
    sum.loss += loss.total.item<float>();
    sum.cross_entropy += loss.cross_entropy.item<float>();
    if (loss.divergence.defined())
      sum.divergence = sum.divergence.value_or(0) + loss.divergence.item<float>();
  }

  torch::Tensor teacher_rows(std::span<const int> batch) const {
    if (!task_.distill) return {};
    const std::int64_t classes = task_.spec.classes;
    torch::Tensor rows = torch::empty({std::int64_t(batch.size()), classes});
    float* out = rows.data_ptr<float>();
    for (int index : batch) {
      const auto row = task_.teacher_logits.subspan(std::size_t(index * classes), classes);
      out = std::copy(row.begin(), row.end(), out);
    }
    return rows;
  }

  Result<double> validation_accuracy() {
    const torch::NoGradGuard no_gradients;
    network_.eval();
    std::int64_t correct = 0;
    for (int first = 0; first < task_.validation.count; first += evaluation_batch) {
      ASSAY_CHECK(check_stop());
      const int count = std::min(evaluation_batch, task_.validation.count - first);
      task_.preprocessor.slice(task_.validation, first, count, input_);
      const torch::Tensor best = network_.forward(images(input_, count)).argmax(1);
      for (int i = 0; i < count; ++i)
        correct += best.data_ptr<std::int64_t>()[i] == task_.validation.labels[first + i];
    }
    return double(correct) / task_.validation.count;
  }

  const TrainingTask& task_;
  const Progress& progress_;
  std::stop_token stop_;
  int images_;
  int steps_per_epoch_;
  Shuffler shuffler_;
  Network network_;
  torch::optim::AdamW optimizer_;
  double rate_ = 0;
  std::vector<float> input_;
};

}  // namespace

double scheduled_rate(Schedule schedule, double peak, std::int64_t step, std::int64_t steps) {
  const double done = double(step) / double(steps);
  switch (schedule) {
    case Schedule::one_cycle:
      if (done < warm_up_part) return peak * double(step + 1) / (warm_up_part * double(steps) + 1);
      return peak * (1 - done) / (1 - warm_up_part);
    case Schedule::linear:
      return peak * (1 - done);
    case Schedule::constant:
      return peak;
  }
  return peak;
}

Result<TrainedNetwork> train_network(const TrainingTask& task, const Progress& progress,
                                     std::stop_token stop) {
  const int images = task.settings.images.value_or(task.train.count);
  if (images > task.train.count || images < task.settings.batch)
    return fail(ErrorKind::bad_input,
                fmt::format("train.images is {} and train.batch {}; the training split has {} "
                            "images",
                            images, task.settings.batch, task.train.count));
  ASSAY_TRY(const auto shapes, infer_shapes(task.spec));
  try {
    torch::manual_seed(task.seed);
    return Trainer(task, shapes, progress, std::move(stop)).run();
  } catch (const c10::Error& error) {
    return fail(ErrorKind::infrastructure,
                fmt::format("training {} failed inside Torch: {}", task.spec.name,
                            error.what_without_backtrace()));
  }
}

}  // namespace assay
