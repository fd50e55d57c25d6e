// libFuzzer on the way from an ONNX file to a deployed network: whatever the file holds, the answer
// is a network that can be packed and run, or one sentence. Half of the inputs are damaged as
// bytes, half as models.
#include <cstdio>
#include <cstdlib>
#include <span>

#include "compress/onnx/model.hpp"
#include "targets/graph/lower.hpp"
#include "targets/graph/reference_run.hpp"
#include "targets/pack/deployment.hpp"
#include "tests/fuzz/mutate_model.hpp"

using namespace assay;

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

// Beyond that a network is fine and only slow to run.
constexpr std::uint64_t most_macs = 2'000'000;
constexpr std::int64_t most_elements = 100'000;

void require(bool good, const char* what, const std::string& message) {
  if (good) return;
  std::fprintf(stderr, "%s: \"%s\"\n", what, message.c_str());
  std::abort();
}

void require_sentence(const Error& error) {
  require(error.kind == ErrorKind::bad_input, "not an error of the input", error.message);
  require(error.message.starts_with("fuzzed.onnx: "), "does not name the file", error.message);
  require(error.message.find('\n') == std::string::npos, "more than a line", error.message);
}

bool is_small(const IntegerGraph& graph) {
  std::uint64_t macs = 0;
  std::int64_t elements = 0;
  for (const IntegerLayer& layer : graph.layers)
    macs += layer.macs.count() + layer.weights.size() + layer.real.weights.size();
  for (const ActivationTensor& tensor : graph.tensors)
    elements += tensor.size();
  for (const IntegerLayer& layer : graph.layers)
    elements += graph.tensors[std::size_t(layer.output)].size() * layer.window.kernel_height *
                layer.window.kernel_width;
  return macs < most_macs && elements < most_elements;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto model = onnx::parse_model(std::as_bytes(std::span(data, size)), "fuzzed.onnx");
  if (!model) {
    require_sentence(model.error());
    return 0;
  }
  const auto graph = lower(*model, "fuzzed.onnx");
  if (!graph) {
    require_sentence(graph.error());
    return 0;
  }
  if (!is_small(*graph)) return 0;
  const auto deployment = deploy(*graph, nullptr);
  require(deployment.has_value(), "is not deployed", graph->tensors[0].name);
  const std::vector<std::int8_t> input(
      std::size_t(graph->tensors[std::size_t(graph->input)].bytes()), 5);
  const auto output = run_reference(*graph, input);
  require(std::int64_t(output.size()) == graph->tensors[std::size_t(graph->output)].bytes(),
          "has an output of another size", graph->tensors[0].name);
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  std::mt19937 random(seed);
  const auto model = onnx::parse_model(std::as_bytes(std::span(data, size)), "fuzzed.onnx");
  if (!model || random() % 2) return LLVMFuzzerMutate(data, size, max_size);
  onnx::Model damaged = *model;
  for (std::size_t changes = 1 + random() % 3; changes > 0; --changes)
    test::mutate(damaged, random);
  const std::string bytes = onnx::serialize_model(damaged);
  if (bytes.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}
