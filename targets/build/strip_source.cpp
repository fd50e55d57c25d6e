#include "targets/build/strip_source.hpp"

#include <algorithm>

namespace assay {
namespace {

std::string rows_name(std::size_t index) {
  return fmt::format("Rows{}", index);
}

std::int64_t row_bytes(const ActivationTensor& tensor) {
  return tensor.bytes() / tensor.height;
}

std::string outside_text(const ActivationTensor& tensor, OutsideRow outside) {
  const bool smallest = outside == OutsideRow::smallest;
  if (tensor.element == Element::float32) return smallest ? "-__builtin_inff()" : "0";
  return fmt::format("{}", smallest ? range_of(tensor.element).lowest : tensor.zero_point);
}

/// Writes the body of the loop over the strips.
class LoopSource {
 public:
  LoopSource(SourceText& text, const IntegerGraph& graph, const StripPlan& plan,
             std::span<const DeployedLayer> deployed, const StripPlaces& places)
      : text_(text), graph_(graph), plan_(plan), deployed_(deployed), places_(places) {}

  void put_all() {
    put(text_, "  // Layers {} to {} in {} strips of {} row{}{}.\n", plan_.range.first,
        plan_.range.last, plan_.strips, plan_.range.rows, plan_.range.rows == 1 ? "" : "s",
        plan_.warm_up > 0 ? fmt::format(", after {} that make no output", plan_.warm_up) : "");
    put(text_, "  for (int strip = {}; strip < {}; ++strip) {{\n", -plan_.warm_up, plan_.strips);
    put(text_, "    kernels::copy_rows<{}>({}, {}, strip);\n", rows_name(0),
        element_text(places_.entry, plan_.entry), element_text(places_.buffers[0], plan_.entry));
    for (std::size_t i = plan_.range.first; i < plan_.range.last; ++i)
      put_inner(i);
    put(text_, "{}", plan_.warm_up > 0 ? "    if (strip >= 0)\n    " : "  ");
    put_kernel(plan_.range.last, exit_of_strip());
    put(text_, "  }}\n");
  }

 private:
  std::size_t buffer_of(int tensor) const {
    return static_cast<std::size_t>(&plan_.rows_of(tensor) - plan_.tensors.data());
  }

  std::string element_text(const ArenaPlace& place, int tensor) const {
    return place_text(place, graph_.tensors[static_cast<std::size_t>(tensor)].element);
  }

  /// A row of a tensor's buffer.
  ArenaPlace row_of(int tensor, int row) const {
    ArenaPlace place = places_.buffers[buffer_of(tensor)];
    place.offset += row * row_bytes(graph_.tensors[static_cast<std::size_t>(tensor)]);
    return place;
  }

  ArenaPlace exit_of_strip() const {
    ArenaPlace place = places_.exit;
    place.per_strip =
        plan_.range.rows * row_bytes(graph_.tensors[static_cast<std::size_t>(plan_.exit)]);
    return place;
  }

  void put_kernel(std::size_t index, const ArenaPlace& output) {
    const IntegerLayer& layer = graph_.layers[index];
    LayerPlace place{{}, output, places_.scratch[index - plan_.range.first]};
    for (const int input : layer.inputs)
      place.inputs.push_back(row_of(input, plan_.first_row_read(layer, input)));
    put(text_, "    kernels::call_apart([=] {{\n    ");
    put_call(text_, fmt::format("Layer{}", index), layer, deployed_[index], place);
    put(text_, "    }});\n");
  }

  void put_inner(std::size_t index) {
    const int output = graph_.layers[index].output;
    const StripTensor& rows = plan_.rows_of(output);
    const std::string name = rows_name(buffer_of(output));
    const std::string buffer = element_text(row_of(output, 0), output);
    if (rows.kept() > 0) put(text_, "    kernels::keep_rows<{}>({});\n", name, buffer);
    put(text_, "    if (kernels::makes_rows<{}>(strip))\n    ", name);
    put_kernel(index, row_of(output, rows.kept()));
    put(text_, "    kernels::fill_outside<{}>({}, strip);\n", name, buffer);
  }

  SourceText& text_;
  const IntegerGraph& graph_;
  const StripPlan& plan_;
  std::span<const DeployedLayer> deployed_;
  const StripPlaces& places_;
};

}  // namespace

void put_strip_rows(SourceText& text, const IntegerGraph& graph, const StripPlan& plan) {
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    const StripTensor& rows = plan.tensors[i];
    const ActivationTensor& whole = graph.tensors[static_cast<std::size_t>(rows.tensor)];
    put(text, "// {}, {}, of which strips make {} row{} and keep {}\n", comment_text(whole.name),
        shape_text(whole), rows.rows, rows.rows == 1 ? "" : "s", rows.kept());
    put(text, "struct {} {{\n", rows_name(i));
    put(text, "  using Element = {};\n", type_text(whole.element));
    put(text, "  static constexpr int height = {}, row = {}, lead = {}, rows = {}, kept = {};\n",
        whole.height, whole.width * whole.channels, rows.lead, rows.rows, rows.kept());
    put(text, "  static constexpr Element outside = {};\n}};\n\n",
        outside_text(whole, rows.outside));
  }
}

void put_strip_loop(SourceText& text, const IntegerGraph& graph, const StripPlan& plan,
                    std::span<const DeployedLayer> deployed, const StripPlaces& places) {
  LoopSource(text, graph, plan, deployed, places).put_all();
}

}  // namespace assay
