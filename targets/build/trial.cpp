#include "targets/build/trial.hpp"

#include <algorithm>
#include <set>

#include "targets/build/layer_source.hpp"
#include "targets/graph/reference_run.hpp"
#include "targets/runtime/trial.hpp"

namespace assay {
namespace {

constexpr std::int64_t alignment = 8;

std::int64_t align(std::int64_t bytes) {
  return (bytes + alignment - 1) / alignment * alignment;
}

/// Where the inputs of a layer lie: one behind the other, one that is read twice once.
struct Inputs {
  std::vector<std::int64_t> offsets;
  std::int64_t bytes = 0;
};

Inputs place_inputs(const IntegerGraph& graph, const IntegerLayer& layer) {
  Inputs inputs;
  std::map<int, std::int64_t> placed;
  for (const int input : layer.inputs) {
    const auto [place, fresh] = placed.emplace(input, align(inputs.bytes));
    if (fresh)
      inputs.bytes = place->second + graph.tensors[static_cast<std::size_t>(input)].bytes();
    inputs.offsets.push_back(place->second);
  }
  return inputs;
}

/// The arena of one entry.
struct Places {
  LayerPlace layer;
  std::int64_t input_bytes = 0;
  std::int64_t arena = 0;
};

Places place(const LayerView& view, const Inputs& inputs, const DeployedLayer& deployed) {
  Places places{{{}, {align(inputs.bytes)}, {}}, inputs.bytes, 0};
  for (const std::int64_t offset : inputs.offsets)
    places.layer.inputs.push_back({offset});
  // As the memory plan does it where the input is not needed afterwards.
  if (deployed.kernel->in_place(view) && deployed.scratch.count() == 0 &&
      view.output.bytes() <= view.input.bytes())
    places.layer.output.offset = 0;
  const std::int64_t end = places.layer.output.offset + view.output.bytes();
  places.layer.scratch.offset = align(std::max(inputs.bytes, end));
  places.arena =
      places.layer.scratch.offset + align(static_cast<std::int64_t>(deployed.scratch.count()));
  return places;
}

std::string type_name(std::size_t index) {
  return fmt::format("Trial{}", index);
}

/// An entry's struct and call, and its row of the table.
void put_entry(SourceText& code, SourceText& table, std::size_t index, const LayerView& view,
               const DeployedLayer& deployed, const Places& places) {
  const std::string name = type_name(index);
  put_layer(code, name, view, deployed);
  put(code, "template <>\nvoid call<{}>() {{\n", name);
  put_call(code, name, view.layer, deployed, places.layer);
  put(code, "}}\n\n");
  put(table, "    {{&call<{}>, {}, {}, {}, {}}},\n", name, places.input_bytes,
      view.input.element == Element::float32, places.layer.output.offset, view.output.bytes());
}

std::string print_trial(const SourceText& code, const SourceText& table, std::size_t count,
                        const std::set<std::string_view>& headers, std::int64_t arena,
                        std::string_view sha256) {
  SourceText text;
  put(text, "// Generated: the kernels that may run the layers of the model with SHA-256\n// {},\n",
      sha256);
  put(text, "// each to be called on its own.\n");
  for (std::string_view header : headers)
    put(text, "#include \"{}\"\n", header);
  put(text, "\nnamespace assay::model {{\nnamespace {{\n\n");
  put(text, "alignas(8) std::int8_t arena[{}];\n\n", std::max(arena, alignment));
  put(text, "template <class L>\nvoid call();\n\n{}", fmt::to_string(code));
  put(text, "const trial::Entry entries[] = {{\n{}}};\n\n", fmt::to_string(table));
  put(text, "std::int8_t request[trial::request_bytes];\n");
  put(text, "std::int8_t answer[trial::answer_bytes];\n\n}}  // namespace\n\n");
  put(text, "const std::size_t input_size = trial::request_bytes;\n");
  put(text, "const std::size_t output_size = trial::answer_bytes;\n");
  put(text, "const std::uint8_t input_element = 1;\nconst std::uint8_t output_element = 1;\n");
  put_hash(text, sha256);
  put(text, "\nstd::int8_t* input() {{ return request; }}\n");
  put(text, "const std::int8_t* output() {{ return answer; }}\n\n");
  put(text, "void run() {{ trial::serve(entries, {}, arena, request, answer); }}\n\n", count);
  put(text, "}}  // namespace assay::model\n");
  return fmt::to_string(text);
}

}  // namespace

Result<GeneratedModel> generate_trial(const IntegerGraph& graph,
                                      std::span<const TrialEntry> entries,
                                      std::string_view model_sha256) {
  ASSAY_CHECK(check_sha256(model_sha256));
  GeneratedModel model;
  SourceText code, table;
  std::set<std::string_view> headers = {"targets/runtime/layer.hpp", "targets/runtime/model.hpp",
                                        "targets/runtime/trial.hpp"};
  std::int64_t arena = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const KernelRow& kernel = *entries[i].kernel;
    const IntegerLayer& layer = graph.layers[entries[i].layer];
    const LayerView view(graph, layer);
    const DeployedLayer deployed = deploy_layer(view, kernel);
    const Places places = place(view, place_inputs(graph, layer), deployed);
    headers.insert(kernel.header);
    put_entry(code, table, i, view, deployed, places);
    arena = std::max(arena, places.arena);
    model.layers.push_back({layer.name, std::string(kernel.name), kernel.form, layer.macs,
                            deployed.constant_bytes, deployed.scratch});
    model.weight_bytes += deployed.constant_bytes;
    model.macs += layer.macs;
  }
  model.source = print_trial(code, table, entries.size(), headers, arena, model_sha256);
  model.arena_bytes = Bytes(static_cast<std::uint64_t>(arena));
  model.input_bytes = Bytes(trial::request_bytes);
  model.output_bytes = Bytes(trial::answer_bytes);
  return model;
}

std::vector<std::int8_t> trial_requests(std::size_t count) {
  std::vector<std::int8_t> requests;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t byte = 0; byte < trial::request_bytes; ++byte)
      requests.push_back(static_cast<std::int8_t>(i >> 8 * byte));
  return requests;
}

std::vector<std::int8_t> trial_answer(const IntegerGraph& graph, std::size_t index) {
  const IntegerLayer& layer = graph.layers[index];
  const Inputs inputs = place_inputs(graph, layer);
  std::vector<std::int8_t> filled(static_cast<std::size_t>(inputs.bytes));
  const bool is_float = LayerView(graph, layer).input.element == Element::float32;
  (is_float ? trial::fill_floats : trial::fill)(filled.data(),
                                                static_cast<std::uint32_t>(inputs.bytes));
  std::vector<std::vector<std::int8_t>> values(graph.tensors.size());
  for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
    const auto first = filled.begin() + inputs.offsets[i];
    const auto input = static_cast<std::size_t>(layer.inputs[i]);
    values[input].assign(first, first + graph.tensors[input].bytes());
  }
  run_reference_layer(graph, layer, values);
  const auto& output = values[static_cast<std::size_t>(layer.output)];
  const std::uint32_t sum =
      trial::checksum(output.data(), static_cast<std::uint32_t>(output.size()));
  std::vector<std::int8_t> answer;
  for (std::size_t byte = 0; byte < trial::answer_bytes; ++byte)
    answer.push_back(static_cast<std::int8_t>(sum >> 8 * byte));
  return answer;
}

Bytes trial_code_bytes(const std::map<std::string, Bytes>& functions, std::size_t index) {
  // A name in a mangled symbol follows its length (Itanium C++ ABI, <source-name>), and ends there
  // with the E of its nested name.
  const std::string name = type_name(index);
  const std::string mangled = fmt::format("{}{}E", name.size(), name);
  Bytes sum;
  for (const auto& [symbol, size] : functions)
    if (symbol.find(mangled) != std::string::npos) sum += size;
  return sum;
}

}  // namespace assay
