#include "targets/build/generate.hpp"

#include <algorithm>
#include <set>

#include "targets/build/layer_source.hpp"

namespace assay {
namespace {

std::string struct_name(std::size_t layer) {
  return fmt::format("Layer{}", layer);
}

/// Where the memory plan puts a layer.
LayerPlace place_of(const IntegerLayer& layer, std::size_t index, const MemoryPlan& memory) {
  LayerPlace place;
  for (const int input : layer.inputs)
    place.inputs.push_back(memory.tensor_offset[static_cast<std::size_t>(input)]);
  place.output = memory.tensor_offset[static_cast<std::size_t>(layer.output)];
  place.scratch = memory.scratch_offset[index];
  return place;
}

std::string print_source(const IntegerGraph& graph, const Deployment& deployment,
                         std::string_view sha256) {
  SourceText text;
  put(text, "// Generated from the model with SHA-256\n// {}.\n", sha256);
  put(text, "// A struct of constants per layer, and the network as a straight line.\n");
  std::set<std::string_view> headers = {"targets/runtime/layer.hpp", "targets/runtime/model.hpp"};
  for (const DeployedLayer& layer : deployment.layers)
    headers.insert(layer.kernel->header);
  for (std::string_view header : headers)
    put(text, "#include \"{}\"\n", header);
  put(text, "\nnamespace assay::model {{\nnamespace {{\n\n");
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const IntegerLayer& layer = graph.layers[i];
    put_layer(text, struct_name(i), {graph, layer}, deployment.layers[i]);
  }
  // At least one element, so that a network without layers is still an array.
  put(text, "alignas(8) std::int8_t arena[{}];\n\n}}  // namespace\n\n",
      std::max<std::uint64_t>(deployment.memory.arena_bytes.count(), 8));
  put(text, "const std::size_t input_size = {};\n", graph.tensors[graph.input].size());
  put(text, "const std::size_t output_size = {};\n", graph.tensors[graph.output].size());
  put_hash(text, sha256);
  put(text, "\nstd::int8_t* input() {{ return arena + {}; }}\n",
      deployment.memory.tensor_offset[graph.input]);
  put(text, "const std::int8_t* output() {{ return arena + {}; }}\n\nvoid run() {{\n",
      deployment.memory.tensor_offset[graph.output]);
  for (std::size_t i = 0; i < graph.layers.size(); ++i)
    put_call(text, struct_name(i), graph.layers[i], deployment.layers[i],
             place_of(graph.layers[i], i, deployment.memory));
  put(text, "}}\n\n}}  // namespace assay::model\n");
  return fmt::to_string(text);
}

}  // namespace

Result<GeneratedModel> generate(const IntegerGraph& graph, const Core* core,
                                std::string_view model_sha256, const KernelChoice& choice) {
  ASSAY_CHECK(check_sha256(model_sha256));
  ASSAY_TRY(const Deployment deployment, deploy(graph, core, choice));
  GeneratedModel model;
  model.source = print_source(graph, deployment, model_sha256);
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const DeployedLayer& deployed = deployment.layers[i];
    model.layers.push_back({graph.layers[i].name, std::string(deployed.kernel->name),
                            deployed.kernel->form, graph.layers[i].macs, deployed.constant_bytes,
                            deployed.scratch});
  }
  model.weight_bytes = deployment.weight_bytes;
  model.arena_bytes = deployment.memory.arena_bytes;
  model.arena_lower_bound = deployment.memory.lower_bound;
  model.scratch_bytes = deployment.scratch_bytes;
  model.macs = deployment.macs;
  model.input_bytes = Bytes(static_cast<std::uint64_t>(graph.tensors[graph.input].size()));
  model.output_bytes = Bytes(static_cast<std::uint64_t>(graph.tensors[graph.output].size()));
  return model;
}

}  // namespace assay
