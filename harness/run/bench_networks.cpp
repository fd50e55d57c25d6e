#include "harness/run/bench_networks.hpp"

#include "compress/methods/quantize_model.hpp"
#include "compress/models/initial_network.hpp"
#include "compress/onnx/fold_batch_norm.hpp"
#include "targets/graph/lower.hpp"

namespace assay {
namespace {

constexpr std::uint64_t weight_seed = 1;

constexpr std::string_view mlperf = "MLPerf Tiny v1.0 and v1.1 results repositories";
constexpr std::string_view thesis = "source thesis: CIFAR-10 on the STM32F779I-EVAL, bare metal";
// Its kB are 1 024 bytes: the generated code has a PEAK_MEM of 60 800.
constexpr std::string_view tiny_engine = "TinyEngine's README, mcunet-vww0 on an STM32H743";
constexpr std::string_view model_zoo = "ST model zoo, STM32H747I-DISCO at 400 MHz";

}  // namespace

std::span<const BenchNetwork> bench_networks() {
  static const BenchNetwork networks[] = {
      {"conv5 cut4 width50", {"conv5", 4, 50}, 1, 28, 28, 10},
      {"conv5 cut4", {"conv5", 4, 0}, 1, 28, 28, 10},
      {"conv5 cut5", {"conv5", 5, 0}, 1, 28, 28, 10},
      {"conv5 width50", {"conv5", 0, 50}, 1, 28, 28, 10},
      {"conv5", {"conv5", 0, 0}, 1, 28, 28, 10},
      {"conv3", {"conv3", 0, 0}, 3, 32, 32, 10},
      {"ds-cnn", {"ds-cnn", 0, 0}, 1, 49, 10, 12},
      {"resnet8", {"resnet8", 0, 0}, 3, 32, 32, 10},
      {"mcunet-vww0", {"mcunet-vww0", 0, 0}, 3, 64, 64, 2},
      {"mobilenet-v1-025", {"mobilenet-v1-025", 0, 0}, 3, 96, 96, 2},
  };
  return networks;
}

Result<IntegerGraph> bench_network_graph(const BenchNetwork& network) {
  ASSAY_TRY(const auto spec, build_model(network.choice, network.channels, network.height,
                                         network.width, network.classes));
  const Normalization normalization{std::vector<float>(std::size_t(network.channels), 0.5F),
                                    std::vector<float>(std::size_t(network.channels), 0.5F)};
  ASSAY_TRY(const auto trained, initial_network(spec, weight_seed, {"bench", normalization}));
  ASSAY_TRY(const auto model, onnx::fold_batch_norm(trained));
  ASSAY_TRY(const auto observed, activations_to_observe(model));
  Ranges ranges;
  for (const auto& name : observed)
    ranges[name] = {-1, 1};
  ASSAY_TRY(const auto quantized, quantize_model(model, ranges));
  return lower(quantized.model);
}

std::span<const PublishedFigure> published_figures() {
  static const PublishedFigure figures[] = {
      {"conv3", "stm32f779", "CMSIS-NN", 77, 0, 140, thesis},
      {"ds-cnn", "stm32l4r5", "X-CUBE-AI 8.1", 62.9, 0, 0, mlperf},
      {"ds-cnn", "stm32l4r5", "microTVM, CMSIS-NN", 99.8, 0, 0, mlperf},
      {"ds-cnn", "stm32l4r5", "Plumerai", 47.8, 0, 0, mlperf},
      {"ds-cnn", "stm32u575", "X-CUBE-AI 8.1", 38.6, 0, 0, mlperf},
      {"ds-cnn", "stm32h7a3", "X-CUBE-AI 8.1", 15.4, 0, 0, mlperf},
      {"ds-cnn", "stm32f746", "Plumerai", 17.8, 0, 0, mlperf},
      {"ds-cnn", "stm32g0b1", "Bosch HALE", 679, 0, 0, mlperf},
      {"resnet8", "stm32l4r5", "X-CUBE-AI 8.1", 214, 0, 0, mlperf},
      {"resnet8", "stm32l4r5", "microTVM, CMSIS-NN", 390, 0, 0, mlperf},
      {"resnet8", "stm32l4r5", "Plumerai", 168, 0, 0, mlperf},
      {"resnet8", "stm32u575", "X-CUBE-AI 8.1", 128, 0, 0, mlperf},
      {"resnet8", "stm32h7a3", "X-CUBE-AI 8.1", 52.0, 0, 0, mlperf},
      {"resnet8", "stm32f746", "Plumerai", 62.9, 0, 0, mlperf},
      {"resnet8", "stm32g0b1", "Bosch HALE", 1669, 0, 0, mlperf},
      {"mcunet-vww0", "stm32h743", "TFLM", 587, 163, 0, tiny_engine},
      {"mcunet-vww0", "stm32h743", "CMSIS-NN", 53, 163, 0, tiny_engine},
      {"mcunet-vww0", "stm32h743", "X-CUBE-AI 7.3", 32, 88, 0, tiny_engine},
      {"mcunet-vww0", "stm32h743", "TinyEngine", 27, 59, 0, tiny_engine},
      {"mobilenet-v1-025", "stm32l4r5", "X-CUBE-AI 8.1", 119, 0, 0, mlperf},
      {"mobilenet-v1-025", "stm32l4r5", "Plumerai", 98.8, 0, 0, mlperf},
      {"mobilenet-v1-025", "stm32u575", "X-CUBE-AI 8.1", 71.6, 0, 0, mlperf},
      {"mobilenet-v1-025", "stm32h7a3", "X-CUBE-AI 8.1", 29.6, 0, 0, mlperf},
      {"mobilenet-v1-025", "stm32f746", "Plumerai", 34.1, 0, 0, mlperf},
      {"mobilenet-v1-025", "stm32g0b1", "Bosch HALE", 1869, 0, 0, mlperf},
      {"mobilenet-v1-025", "stm32h747", "X-CUBE-AI", 29.94, 83.3, 282.7, model_zoo},
  };
  return figures;
}

}  // namespace assay
