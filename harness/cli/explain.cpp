#include "harness/cli/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace assay::cli {
namespace {

std::optional<std::uint64_t> count_of(const Json& json, const char* key) {
  if (!json.contains(key)) return std::nullopt;
  return json.at(key).get<std::uint64_t>();
}

std::string text_of(std::optional<std::uint64_t> count) {
  return count ? fmt::format("{}", *count) : "-";
}

/// Constants, and the kernel's code where it is known.
std::uint64_t flash_of(const Json& kernel) {
  return kernel.at("constant_bytes").get<std::uint64_t>() +
         count_of(kernel, "code_bytes").value_or(0);
}

std::string kernel_text(const Json& kernel) {
  const auto form = kernel.at("form").get<std::string>();
  const auto name = kernel.at("kernel").get<std::string>();
  return form == "none" ? name : fmt::format("{} ({})", name, form);
}

struct Widths {
  std::size_t name = 5;
  std::size_t shape = 5;
  std::size_t kernel = 6;
};

Widths widths_of(const Json& layers) {
  Widths widths;
  for (const Json& layer : layers) {
    widths.name = std::max(widths.name, layer.at("name").get<std::string>().size());
    widths.shape = std::max(widths.shape, layer.at("shape").get<std::string>().size());
    widths.kernel = std::max(widths.kernel, kernel_text(layer).size());
    for (const Json& other : layer.at("alternatives"))
      widths.kernel = std::max(widths.kernel, kernel_text(other).size() + 4);
  }
  return widths;
}

/// What the kernels are compared by: a figure of theirs, and its words.
struct Work {
  const char* key;
  const char* title;
  const char* title_per_mac;
  const char* in_sum;
};
constexpr Work cycles{"modelled_cycles", "cycles", "cycles/MAC", "cycles (modelled)"};
constexpr Work instructions{"instructions", "executed", "exec./MAC",
                            "instructions executed (counted), which are not time"};

const Work& work_of(const Json& layers) {
  const bool counted = std::ranges::any_of(
      layers, [](const Json& layer) { return layer.contains(instructions.key); });
  return counted ? instructions : cycles;
}

std::string per_mac(std::optional<std::uint64_t> work, std::uint64_t macs) {
  if (!work || macs == 0) return "-";
  return fmt::format("{:.3f}", static_cast<double>(*work) / static_cast<double>(macs));
}

std::string kernel_line(const Json& kernel, const std::string& name, std::uint64_t macs,
                        std::size_t width, const Work& work) {
  const auto known = count_of(kernel, work.key);
  return fmt::format("{:<{}}  {:>8}  {:>8}  {:>10}  {:>10}", name, width, flash_of(kernel),
                     kernel.at("scratch_bytes").get<std::uint64_t>(), text_of(known),
                     per_mac(known, macs));
}

}  // namespace

std::string explain_table(const Json& layers) {
  const Widths widths = widths_of(layers);
  const Work& work = work_of(layers);
  std::string text = fmt::format("{:<{}}  {:<{}}  {:>10}  {:<{}}  {:>8}  {:>8}  {:>10}  {:>10}\n",
                                 "layer", widths.name, "shape", widths.shape, "MACC", "kernel",
                                 widths.kernel, "flash B", "RAM B", work.title, work.title_per_mac);
  std::uint64_t flash = 0, sum = 0;
  bool all_known = true, all_code_known = true;
  for (const Json& layer : layers) {
    const auto macs = layer.at("macc").get<std::uint64_t>();
    text += fmt::format("{:<{}}  {:<{}}  {:>10}  {}\n", layer.at("name").get<std::string>(),
                        widths.name, layer.at("shape").get<std::string>(), widths.shape, macs,
                        kernel_line(layer, kernel_text(layer), macs, widths.kernel, work));
    if (layer.contains("int8_because"))
      text += fmt::format("{:<{}}{}\n", "", widths.name + widths.shape + 16,
                          layer.at("int8_because").get<std::string>());
    for (const Json& other : layer.at("alternatives"))
      text +=
          fmt::format("{:<{}}{}  {}\n", "", widths.name + widths.shape + 16,
                      kernel_line(other, "not " + kernel_text(other), macs, widths.kernel, work),
                      other.at("why_not").get<std::string>());
    flash += flash_of(layer);
    const auto known = count_of(layer, work.key);
    all_known = all_known && known;
    all_code_known = all_code_known && layer.contains("code_bytes");
    sum += known.value_or(0);
  }
  text += fmt::format("all layers: {} bytes of flash ({}), {}\n", flash,
                      all_code_known ? "constants and kernel code, counted"
                                     : "constants, counted; the code of some kernels is unknown",
                      all_known ? fmt::format("{} {}", sum, work.in_sum) : "cycles unknown");
  return text;
}

std::string explain_strips(const Json& strips) {
  if (strips.is_null()) return "";
  return fmt::format(
      "{} layers, {} to {}, run in {} strips of {} row{}, because {}: {} bytes of arena instead of "
      "at least {}, {} MACs outside the image, {} bytes copied, about {} instructions more "
      "(estimated)\n",
      strips.at("layers").get<std::uint64_t>(), strips.at("first_layer").get<std::string>(),
      strips.at("last_layer").get<std::string>(), strips.at("strips").get<std::uint64_t>(),
      strips.at("rows").get<std::uint64_t>(), strips.at("rows") == 1 ? "" : "s",
      strips.at("because").get<std::string>(), strips.at("arena_bytes").get<std::uint64_t>(),
      strips.at("arena_bytes_without").get<std::uint64_t>(),
      strips.at("extra_macc").get<std::uint64_t>(), strips.at("copied_bytes").get<std::uint64_t>(),
      strips.at("extra_instructions_estimate").get<std::uint64_t>());
}

}  // namespace assay::cli
