#include "targets/pack/form_support.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "targets/pack/filter_streams.hpp"

namespace assay {
namespace {

/// The cores that parts have, by name.
Result<std::vector<Core>> known_cores() {
  std::map<std::string, Core> cores;
  for (const std::string& name : known_parts()) {
    ASSAY_TRY(const Part part, load_part(name));
    cores.emplace(part.core.name, part.core);
  }
  std::vector<Core> list;
  for (const auto& [name, core] : cores)
    list.push_back(core);
  return list;
}

/// The forms of less than a byte that hold these weights, the closest first.
std::vector<WeightForm> fitting_forms(std::span<const std::int8_t> weights) {
  std::vector<WeightForm> forms;
  // A handful of weights fits any form by chance, and has next to nothing to save.
  if (weights.size() < 64) return forms;
  const auto values = distinct_values(weights).size();
  const auto zeros = static_cast<std::size_t>(std::ranges::count(weights, std::int8_t{0}));
  if (weights_within(weights, 1)) forms.push_back(WeightForm::ternary);
  if (weights_within(weights, 7)) forms.push_back(WeightForm::int4);
  if (values <= 16) forms.push_back(WeightForm::codebook16);
  if (values <= 64 && 4 * values <= weights.size()) forms.push_back(WeightForm::codebook256);
  if (4 * zeros >= 3 * weights.size())
    forms.insert(forms.end(), {WeightForm::unstructured, WeightForm::bitmap});
  return forms;
}

/// The core's rows of a form for the layer's operator and tensors; the last takes most shapes.
std::vector<const KernelRow*> rows_of(WeightForm form, const LayerView& view, const Core& core) {
  std::vector<const KernelRow*> rows;
  for (const KernelRow& row : kernel_table())
    if (row.op == view.layer.op && row.element == view.input.element && row.form == form &&
        row.runs_on(core))
      rows.push_back(&row);
  return rows;
}

/// Of a row whose form the layer's weights fit.
std::string why_declined(const KernelRow& row, const LayerView& view) {
  const std::string fit = fmt::format("the weights fit {}, but {} ", to_string(row.form), row.name);
  if (row.shapes.holds && !row.shapes.holds(view))
    return fmt::format("{}takes {} alone", fit, row.shapes.words);
  if (!row.accepts(view)) return fmt::format("{}cannot make them fewer bytes", fit);
  return fmt::format("{}needs {} bytes of scratch and may take {}", fit, row.scratch(view).count(),
                     row.most_scratch.count());
}

}  // namespace

std::vector<WeightForm> forms_with_kernels(IntegerOp op, const Core& core) {
  std::vector<WeightForm> forms;
  for (const KernelRow& row : kernel_table())
    if (row.op == op && row.element == Element::int8 && row.runs_on(core) &&
        std::ranges::find(forms, row.form) == forms.end())
      forms.push_back(row.form);
  std::ranges::sort(forms);
  return forms;
}

Result<std::string> forms_table() {
  constexpr IntegerOp operators[] = {IntegerOp::convolution, IntegerOp::depthwise,
                                     IntegerOp::dense};
  std::string table = "| core | convolution | depthwise | dense |\n|---|---|---|---|\n";
  ASSAY_TRY(const auto cores, known_cores());
  for (const Core& core : cores) {
    table += fmt::format("| {} |", core.name);
    for (const IntegerOp op : operators) {
      std::vector<std::string_view> names;
      for (const WeightForm form : forms_with_kernels(op, core))
        if (form != WeightForm::int8) names.push_back(to_string(form));
      table += fmt::format(
          " {} |", names.empty() ? "int8 alone" : fmt::format("{}", fmt::join(names, ", ")));
    }
    table += '\n';
  }
  return table;
}

std::string missed_form(const LayerView& view, const Core& core) {
  if (!has_weights(view.layer.op) || view.input.element == Element::float32) return "";
  const auto forms = fitting_forms(view.layer.weights);
  if (forms.empty()) return "";
  const KernelRow* declining = nullptr;
  for (const WeightForm form : forms) {
    const auto rows = rows_of(form, view, core);
    if (std::ranges::any_of(rows, [&](const KernelRow* row) { return takes(*row, view); }))
      return "";
    if (!declining && !rows.empty()) declining = rows.back();
  }
  if (declining) return why_declined(*declining, view) + ": they take a byte each";
  if (view.input.element == Element::int16)
    return fmt::format("the weights fit {}, but kernels over int16 tensors take a byte a weight",
                       to_string(forms.front()));
  return fmt::format("the weights fit {}, of which {} has no {} kernel: they take a byte each",
                     to_string(forms.front()), core.name, to_string(view.layer.op));
}

}  // namespace assay
