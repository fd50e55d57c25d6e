#include "targets/build/generate.hpp"

#include <algorithm>
#include <set>

#include "targets/build/layer_source.hpp"
#include "targets/build/strip_source.hpp"

namespace assay {
namespace {

std::string struct_name(std::size_t layer) {
  return fmt::format("Layer{}", layer);
}

/// The arrays that hold the network's tensors and scratch.
class Arenas {
 public:
  Arenas(const IntegerGraph& graph, const Deployment& deployment, const RamLayout& ram)
      : ram_(ram),
        plan_(plan_banks(graph, deployment.needs, ram,
                         deployment.strips ? &*deployment.strips : nullptr)) {}

  void put_arrays(SourceText& text) const {
    for (std::size_t bank = 0; bank < plan_.arenas.size(); ++bank) {
      if (!is_used(bank)) continue;
      if (!ram_.banks.empty()) put_section(text, ram_.banks[bank].region);
      // At least one element, so that a network without layers is still an array.
      put(text, "alignas(8) std::int8_t {}[{}];\n", name_of(bank),
          std::max<std::uint64_t>(plan_.arenas[bank].count(), 8));
    }
  }

  std::string text_of(int tensor) const {
    return place_text(place(plan_.tensors[static_cast<std::size_t>(tensor)]));
  }

  LayerPlace place_of(const IntegerLayer& layer, std::size_t index) const {
    LayerPlace result;
    for (const int input : layer.inputs)
      result.inputs.push_back(place(plan_.tensors[static_cast<std::size_t>(input)]));
    result.output = place(plan_.tensors[static_cast<std::size_t>(layer.output)]);
    result.scratch = place(plan_.scratch[index]);
    return result;
  }

  StripPlaces places_of(const StripPlan& strips) const {
    const auto of_tensor = [&](int tensor) {
      return place(plan_.tensors[static_cast<std::size_t>(tensor)]);
    };
    StripPlaces places{of_tensor(strips.entry), {}, of_tensor(strips.exit), {}};
    for (const StripTensor& rows : strips.tensors)
      places.buffers.push_back(rows.tensor == strips.entry ? place(plan_.entry_rows)
                                                           : of_tensor(rows.tensor));
    for (std::size_t i = strips.range.first; i <= strips.range.last; ++i)
      places.scratch.push_back(place(plan_.scratch[i]));
    return places;
  }

  void describe(GeneratedModel& model) const {
    for (std::size_t bank = 0; bank < plan_.arenas.size(); ++bank) {
      model.arena_bytes += plan_.arenas[bank];
      if (!ram_.banks.empty() && is_used(bank))
        model.arenas.push_back({ram_.banks[bank].region, plan_.arenas[bank]});
    }
    if (!ram_.banks.empty()) model.home = ram_.banks[plan_.home].region;
    model.has_room = plan_.fits;
  }

 private:
  bool is_used(std::size_t bank) const {
    return plan_.arenas[bank].count() > 0 || plan_.arenas.size() == 1;
  }
  /// What the next array lies in, unless whoever compiles the source has a section of another name.
  static void put_section(SourceText& text, const std::string& region) {
    put(text, "#ifndef {0}\n#define {0} \"{1}\"\n#endif\n[[gnu::section({0})]] ",
        arena_macro(region), arena_section(region));
  }
  std::string name_of(std::size_t bank) const {
    return ram_.banks.empty() ? "arena" : arena_name(ram_.banks[bank].region);
  }
  ArenaPlace place(const BankPlace& place) const { return {place.offset, name_of(place.bank)}; }

  const RamLayout& ram_;
  BankPlan plan_;
};

/// The network as a straight line, but for a loop over strips.
void put_calls(SourceText& text, const IntegerGraph& graph, const Deployment& deployment,
               const Arenas& arenas) {
  const auto& strips = deployment.strips;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const IntegerLayer& layer = graph.layers[i];
    if (strips && i == strips->range.last)
      put_strip_loop(text, graph, *strips, deployment.layers, arenas.places_of(*strips));
    else if (!strips || !strips->covers(i))
      put_call(text, struct_name(i), layer, deployment.layers[i], arenas.place_of(layer, i));
  }
}

std::string print_source(const IntegerGraph& graph, const Deployment& deployment,
                         const Arenas& arenas, std::string_view sha256) {
  SourceText text;
  put(text, "// Generated from the model with SHA-256\n// {}.\n", sha256);
  put(text, "// A struct of constants per layer, and the network as a straight line.\n");
  std::set<std::string_view> headers = {"targets/runtime/layer.hpp", "targets/runtime/model.hpp"};
  for (const DeployedLayer& layer : deployment.layers)
    headers.insert(layer.kernel->header);
  if (deployment.strips) headers.insert(strip_header);
  for (std::string_view header : headers)
    put(text, "#include \"{}\"\n", header);
  put(text, "\nnamespace assay::model {{\nnamespace {{\n\n");
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const IntegerGraph& shapes = deployment.shapes;
    put_layer(text, struct_name(i), {shapes, shapes.layers[i]}, deployment.layers[i]);
  }
  if (deployment.strips) put_strip_rows(text, graph, *deployment.strips);
  arenas.put_arrays(text);
  put(text, "\n}}  // namespace\n\n");
  put(text, "const std::size_t input_size = {};\n", graph.tensors[graph.input].size());
  put(text, "const std::size_t output_size = {};\n", graph.tensors[graph.output].size());
  put(text, "const std::uint8_t input_element = {};  // bytes of an {}\n",
      size_of(graph.tensors[graph.input].element), to_string(graph.tensors[graph.input].element));
  put(text, "const std::uint8_t output_element = {};  // bytes of an {}\n",
      size_of(graph.tensors[graph.output].element), to_string(graph.tensors[graph.output].element));
  put_hash(text, sha256);
  put(text, "\nstd::int8_t* input() {{ return {}; }}\n", arenas.text_of(graph.input));
  put(text, "const std::int8_t* output() {{ return {}; }}\n\nvoid run() {{\n",
      arenas.text_of(graph.output));
  put_calls(text, graph, deployment, arenas);
  put(text, "}}\n\n}}  // namespace assay::model\n");
  return fmt::to_string(text);
}

}  // namespace

std::string arena_name(std::string_view region) {
  return fmt::format("arena_{}", region);
}

std::string arena_section(std::string_view region) {
  return fmt::format(".bss.arena.{}", region);
}

std::string arena_macro(std::string_view region) {
  return fmt::format("ASSAY_ARENA_{}", region);
}

Result<GeneratedModel> generate(const IntegerGraph& graph, const Core* core,
                                std::string_view model_sha256, const KernelChoice& choice,
                                const RamLayout& ram) {
  ASSAY_CHECK(check_sha256(model_sha256));
  ASSAY_TRY(const Deployment deployment, deploy(graph, core, choice));
  const Arenas arenas(graph, deployment, ram);
  GeneratedModel model;
  model.source = print_source(graph, deployment, arenas, model_sha256);
  arenas.describe(model);
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const DeployedLayer& deployed = deployment.layers[i];
    model.layers.push_back({graph.layers[i].name, std::string(deployed.kernel->name),
                            deployed.kernel->form, graph.layers[i].macs, deployed.constant_bytes,
                            deployed.scratch});
  }
  model.weight_bytes = deployment.weight_bytes;
  model.arena_lower_bound = deployment.memory.lower_bound;
  model.scratch_bytes = deployment.scratch_bytes;
  model.macs = deployment.macs;
  model.input_bytes = Bytes(static_cast<std::uint64_t>(graph.tensors[graph.input].bytes()));
  model.output_bytes = Bytes(static_cast<std::uint64_t>(graph.tensors[graph.output].bytes()));
  return model;
}

}  // namespace assay
