#include "targets/pack/deployment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace assay {
namespace {

bool runs_on(const KernelRow& row, const Core* core) {
  return core ? row.runs_on(*core) : row.portable;
}

/// The first row that runs there and takes the layer; the reference row always does. On the host
/// that is the row itself for int8: the faster ones are written for their cores.
const KernelRow& first_kernel(const LayerView& view, const Core* core) {
  if (core) return choose_kernel(view, *core);
  for (const KernelRow& row : kernel_table())
    if (row.portable && takes(row, view)) return row;
  return reference_kernel(view);
}

Result<const KernelRow*> find_forced(const std::string& name, const Core* core) {
  std::vector<std::string_view> known;
  for (const KernelRow& row : kernel_table()) {
    if (row.name != name) {
      known.push_back(row.name);
      continue;
    }
    if (!runs_on(row, core))
      return fail(ErrorKind::bad_input, fmt::format("kernel \"{}\" does not run on {}", name,
                                                    core ? core->name : "the host"));
    return &row;
  }
  return fail(ErrorKind::bad_input,
              fmt::format("no kernel is named \"{}\"; there are {}", name, fmt::join(known, ", ")));
}

/// What `choice` says for layer `index`.
Result<const KernelRow*> choose(const LayerView& view, std::size_t index, const Core* core,
                                const KernelChoice& choice, const KernelRow* forced) {
  const KernelRow* kernel = choice.layers.empty() ? nullptr : choice.layers[index];
  if (forced && forced->op == view.layer.op && forced->element == view.input.element)
    kernel = forced;
  if (!kernel) return choice.force_reference ? &reference_kernel(view) : &first_kernel(view, core);
  if (runs_on(*kernel, core) && takes(*kernel, view)) return kernel;
  return fail(ErrorKind::bad_input,
              fmt::format("kernel \"{}\" cannot run layer \"{}\"", kernel->name, view.layer.name));
}

Result<std::optional<StripPlan>> strips_of(const IntegerGraph& graph, const KernelChoice& choice) {
  if (!choice.strips) return std::nullopt;
  auto plan = plan_strips(graph, *choice.strips);
  if (plan) return plan;
  return fail(ErrorKind::bad_input,
              fmt::format("layers {} to {} cannot run in strips of {} rows", choice.strips->first,
                          choice.strips->last, choice.strips->rows));
}

}  // namespace

DeployedLayer deploy_layer(const LayerView& view, const KernelRow& kernel) {
  DeployedLayer deployed;
  deployed.kernel = &kernel;
  deployed.constants = kernel.pack(view);
  deployed.scratch = kernel.scratch(view);
  for (const ConstantArray& array : deployed.constants)
    deployed.constant_bytes += Bytes(array.values.size() * array.element_bytes);
  return deployed;
}

Result<Deployment> deploy(const IntegerGraph& graph, const Core* core, const KernelChoice& choice) {
  const KernelRow* forced = nullptr;
  if (choice.force_kernel) {
    ASSAY_TRY(forced, find_forced(*choice.force_kernel, core));
  }
  if (!choice.layers.empty() && choice.layers.size() != graph.layers.size())
    return fail(ErrorKind::bad_input, fmt::format("{} kernels are chosen for {} layers",
                                                  choice.layers.size(), graph.layers.size()));
  Deployment deployment;
  ASSAY_TRY(deployment.strips, strips_of(graph, choice));
  deployment.shapes = deployment.strips ? strip_shapes(graph, *deployment.strips) : graph;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const IntegerLayer& layer = deployment.shapes.layers[i];
    const LayerView view(deployment.shapes, layer);
    ASSAY_TRY(const KernelRow* kernel, choose(view, i, core, choice, forced));
    deployment.layers.push_back(deploy_layer(view, *kernel));
    const DeployedLayer& deployed = deployment.layers.back();
    deployment.needs.push_back({deployed.scratch, kernel->in_place(view)});
    deployment.weight_bytes += deployed.constant_bytes;
    deployment.scratch_bytes = std::max(deployment.scratch_bytes, deployed.scratch);
    deployment.macs += layer.macs;
  }
  deployment.memory =
      plan_memory(graph, deployment.needs, deployment.strips ? &*deployment.strips : nullptr);
  return deployment;
}

}  // namespace assay
