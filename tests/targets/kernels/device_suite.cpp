#include "tests/targets/kernels/device_suite.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "harness/core/process.hpp"
#include "targets/build/layer_source.hpp"
#include "targets/graph/reference_run.hpp"
#include "tests/support/bare_metal_build.hpp"
#include "tests/support/qemu.hpp"
#include "tests/targets/kernels/awkward_shapes.hpp"

namespace assay::test {
namespace {

constexpr std::size_t cases_per_file = 12;
/// As many as fit the flash, if their constants do: thirty-two in 256 KB.
constexpr std::size_t cases_per_megabyte = 128;

/// How many cases from `first` on one program takes: half of the flash is for their constants.
std::size_t count_that_fit(const std::vector<KernelCase>& cases, std::size_t first, Bytes flash) {
  Bytes constants;
  const std::size_t most = flash.count() * cases_per_megabyte >> 20;
  std::size_t count = 0;
  for (; count < std::min(most, cases.size() - first); ++count) {
    const KernelCase& one = cases[first + count];
    constants += deploy_layer(view_of(one.graph), *one.kernel).constant_bytes;
    if (count > 0 && constants + constants > flash) break;
  }
  return count;
}

std::string emit_layer(const LayerView& view, const KernelRow& kernel, const std::string& name) {
  SourceText text;
  put_layer(text, name, view, deploy_layer(view, kernel));
  return fmt::to_string(text);
}

/// Where the inputs of a layer lie in memory: one after the other, each at a whole word; a tensor
/// that is read twice lies there once.
struct InputPlaces {
  std::map<int, std::int64_t> bytes_before;  ///< of a tensor
  std::int64_t bytes = 0;                    ///< of all
};

InputPlaces places_of(const IntegerGraph& graph) {
  InputPlaces places;
  for (const int input : graph.layers[0].inputs) {
    const std::int64_t at = (places.bytes + 3) / 4 * 4;
    if (places.bytes_before.emplace(input, at).second)
      places.bytes = at + graph.tensors[input].bytes();
  }
  return places;
}

/// The input pointers of a call.
std::string inputs_text(const IntegerGraph& graph) {
  const IntegerLayer& layer = graph.layers[0];
  const InputPlaces places = places_of(graph);
  std::vector<std::string> inputs;
  for (const int input : layer.inputs)
    inputs.push_back(fmt::format(
        "in + {}", places.bytes_before.at(input) /
                       static_cast<std::int64_t>(size_of(graph.tensors[input].element))));
  const std::string list = fmt::format("{}", fmt::join(inputs, ", "));
  return layer.op == IntegerOp::concat ? '{' + list + '}' : list;
}

/// A function that runs one case in the memory all cases share.
std::string emit_case(const KernelCase& one, std::size_t index) {
  const LayerView view = view_of(one.graph);
  const std::string layer = fmt::format("Layer{}", index);
  std::string text = emit_layer(view, *one.kernel, layer);
  const auto input = places_of(one.graph).bytes, output = view.output.bytes();
  const std::string_view element = type_text(view.input.element);
  const char* out = one.in_place ? "m.in" : "m.out";
  text += fmt::format(
      "struct Memory{0} {{ Guarded<{1}> in; Guarded<{2}> out; Guarded<{3}> scratch; }};\n"
      "void run_case_{0}() {{\n"
      "  static_assert(sizeof(Memory{0}) <= memory_bytes);\n"
      "  auto& m = *reinterpret_cast<Memory{0}*>(memory);\n"
      "  run_case<{6}, {4}, {2}>(m.in, {5}, m.scratch, [&m] {{\n"
      "    const auto* in = reinterpret_cast<const {6}*>(m.in.inside);\n"
      "    auto* out = reinterpret_cast<{6}*>({5}.inside);\n",
      index, one.in_place ? std::max(input, output) : input, output,
      one.kernel->scratch(view).count(), input, out, element);
  text += fmt::format(
      "    assay::port::mark_begin();\n"
      "    {}<{}>({}, out, m.scratch.inside);\n"
      "    assay::port::mark_end();\n  }});\n}}\n",
      one.kernel->function, layer, inputs_text(one.graph));
  return text;
}

std::string emit_file(const std::vector<KernelCase>& cases, std::size_t first, std::size_t last) {
  std::set<std::string_view> headers;
  for (std::size_t i = first; i < last; ++i)
    headers.insert(cases[i].kernel->header);
  std::string text = "#include \"tests/targets/kernels/device_harness.hpp\"\n";
  for (auto header : headers)
    text += fmt::format("#include \"{}\"\n", header);
  text += "#include \"memory_bytes.hpp\"\n";
  text += "using namespace device_suite;\nextern std::uint8_t memory[];\n";
  for (std::size_t i = first; i < last; ++i)
    text += emit_case(cases[i], i);
  return text;
}

std::string emit_main(std::size_t cases) {
  std::string text =
      "#include \"tests/support/bare_metal/bare_metal.hpp\"\n#include \"memory_bytes.hpp\"\n"
      "alignas(8) std::uint8_t memory[memory_bytes];\n";
  for (std::size_t i = 0; i < cases; ++i)
    text += fmt::format("void run_case_{}();\n", i);
  text += "void test_main() {\n";
  for (std::size_t i = 0; i < cases; ++i)
    text += fmt::format("  run_case_{}();\n", i);
  return text + "}\n";
}

/// Room for the largest case.
std::uint64_t memory_needed(const std::vector<KernelCase>& cases) {
  std::uint64_t most = 0;
  for (const KernelCase& one : cases)
    most = std::max(most, memory_needed(one));
  return most;
}

Result<std::vector<std::filesystem::path>> write_program(const std::vector<KernelCase>& cases,
                                                         const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  ASSAY_CHECK(
      write_atomically(folder / "memory_bytes.hpp",
                       fmt::format("#pragma once\ninline constexpr unsigned memory_bytes = {};\n",
                                   memory_needed(cases))));
  std::vector<std::filesystem::path> sources = {folder / "main.cpp"};
  ASSAY_CHECK(write_atomically(sources[0], emit_main(cases.size())));
  for (std::size_t first = 0; first < cases.size(); first += cases_per_file) {
    sources.push_back(folder / fmt::format("cases{}.cpp", first));
    const std::size_t last = std::min(first + cases_per_file, cases.size());
    ASSAY_CHECK(write_atomically(sources.back(), emit_file(cases, first, last)));
  }
  return sources;
}

std::vector<std::int8_t> parse_hex(const std::string& digits) {
  std::vector<std::int8_t> bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<std::int8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}

Result<std::vector<std::vector<KernelOutcome>>> parse_run(const QemuRun& run,
                                                          const std::vector<KernelCase>& cases,
                                                          bool counted) {
  std::istringstream lines(run.console);
  std::vector<std::vector<KernelOutcome>> outcomes;
  std::size_t window = 0;
  for (const KernelCase& one : cases) {
    outcomes.emplace_back();
    for ([[maybe_unused]] InputFill fill : input_fills) {
      std::string verdict, digits;
      if (!(lines >> verdict >> digits) || (counted && window >= run.windows.size()))
        return fail(ErrorKind::failed_verdict,
                    fmt::format("the program stopped in {}: {}{}", one.name, verdict, run.errors));
      const std::uint64_t instructions = counted ? run.windows[window++].total : 0;
      outcomes.back().push_back(
          {parse_hex(digits), verdict == "intact", Instructions(instructions)});
    }
  }
  return outcomes;
}

Result<std::vector<std::vector<KernelOutcome>>> run_program(const std::vector<KernelCase>& cases,
                                                            const KernelCore& core,
                                                            const std::string& optimization) {
  static std::atomic<int> serial{0};
  const std::filesystem::path folder =
      fmt::format("{}kernels-{}-{}", ::testing::TempDir(), ::getpid(), serial++);
  BareMetalBuild build;
  build.core_flags = core_of(core).compile_flags;
  build.optimization = optimization;
  build.flash = core.flash;
  build.ram = core.ram;
  build.flash_base = core.flash_base;
  build.ram_base = core.ram_base;
  build.elf = folder / "suite.elf";
  ASSAY_TRY(build.sources, write_program(cases, folder));
  ASSAY_CHECK(build_bare_metal(build));
  ASSAY_TRY(const QemuRun run, run_qemu({core.machine, build.elf, QemuConsole::semihosting, "", "",
                                         std::chrono::minutes(3)}));
  ASSAY_TRY(auto outcomes, parse_run(run, cases, true));
  std::filesystem::remove_all(folder);
  return outcomes;
}

/// The interpreter's output of a case's layer.
std::vector<std::int8_t> expected_output(const IntegerGraph& graph, InputFill fill) {
  const IntegerLayer& layer = graph.layers[0];
  const InputPlaces places = places_of(graph);
  ActivationTensor all = graph.tensors[0];
  all.height = all.width = 1;
  all.channels = static_cast<int>(places.bytes / static_cast<std::int64_t>(size_of(all.element)));
  const std::vector<std::int8_t> inputs = input_bytes(fill, all);
  std::vector<std::vector<std::int8_t>> values(graph.tensors.size());
  for (const auto& [tensor, before] : places.bytes_before)
    values[tensor].assign(inputs.begin() + before,
                          inputs.begin() + before + graph.tensors[tensor].bytes());
  run_reference_layer(graph, layer, values);
  return values[layer.output];
}

/// Where two tensors first differ, in words.
std::string difference(const std::vector<std::int8_t>& expected,
                       const std::vector<std::int8_t>& actual) {
  if (expected.size() != actual.size())
    return fmt::format("{} elements, expected {}", actual.size(), expected.size());
  std::size_t wrong = 0, first = 0;
  for (std::size_t i = expected.size(); i-- > 0;)
    if (expected[i] != actual[i]) first = i, ++wrong;
  if (wrong == 0) return "";
  return fmt::format("{} of {} elements wrong, the first at {}: {} instead of {}", wrong,
                     expected.size(), first, actual[first], expected[first]);
}

/// Runs a tool to its end and returns what it printed.
Result<std::string> run_tool(std::vector<std::string> arguments) {
  ProcessSpec spec;
  spec.arguments = std::move(arguments);
  spec.deadline = std::chrono::minutes(3);
  ASSAY_TRY(auto outcome, run_process(spec));
  if (outcome.exit_code == 0) return std::move(outcome.output);
  return fail(ErrorKind::failed_verdict,
              fmt::format("{} failed: {}", spec.arguments[0], outcome.errors));
}

Result<std::vector<std::vector<KernelOutcome>>> run_linux_program(
    const std::vector<KernelCase>& cases, const Core& core, const std::string& optimization) {
  static std::atomic<int> serial{0};
  const std::filesystem::path folder =
      fmt::format("{}linux-kernels-{}-{}", ::testing::TempDir(), ::getpid(), serial++);
  ASSAY_TRY(const auto sources, write_program(cases, folder));
  const std::string program = (folder / "suite").string();
  std::vector<std::string> command = {core.linux_tools->compiler,
                                      "-std=c++17",
                                      "-static",
                                      "-Wall",
                                      "-Wextra",
                                      "-Werror",
                                      "-ffp-contract=off",
                                      optimization,
                                      "-I" + source_root().string(),
                                      "-o",
                                      program,
                                      (source_root() / "tests/support/bare_metal/linux.cpp")};
  command.insert(command.end(), core.compile_flags.begin(), core.compile_flags.end());
  command.insert(command.end(), sources.begin(), sources.end());
  ASSAY_CHECK(run_tool(command));
  QemuRun run;
  ASSAY_TRY(run.console, run_tool({core.linux_tools->emulator, "-cpu",
                                   core.linux_tools->emulated_core, program}));
  ASSAY_TRY(auto outcomes, parse_run(run, cases, false));
  std::filesystem::remove_all(folder);
  return outcomes;
}

/// Runs the cases in programs of a size that compiles within its deadline and fits the smallest
/// flash.
template <class RunProgram>
Result<std::vector<std::vector<KernelOutcome>>> run_in_programs(
    const std::vector<KernelCase>& cases, Bytes flash, RunProgram run) {
  std::vector<std::vector<KernelOutcome>> outcomes;
  for (std::size_t first = 0; first < cases.size(); first = outcomes.size()) {
    const auto begin = cases.begin() + static_cast<std::ptrdiff_t>(first);
    const auto count = count_that_fit(cases, first, flash);
    ASSAY_TRY(auto some, run({begin, begin + static_cast<std::ptrdiff_t>(count)}));
    std::ranges::move(some, std::back_inserter(outcomes));
  }
  return outcomes;
}

}  // namespace

std::string disagreement(const KernelCase& one, const std::vector<KernelOutcome>& outcomes) {
  for (std::size_t f = 0; f < std::size(input_fills); ++f) {
    const std::string wrong =
        difference(expected_output(one.graph, input_fills[f]), outcomes[f].output);
    if (!wrong.empty()) return fmt::format("{}, input fill {}: {}", one.name, f, wrong);
    if (!outcomes[f].guards_intact)
      return fmt::format("{}, input fill {}: bytes beside output, scratch or input changed",
                         one.name, f);
  }
  return "";
}

const std::vector<KernelCore>& kernel_cores() {
  constexpr Bytes plenty{4 << 20};
  constexpr std::uint32_t an505_code = 0x10000000, an505_data = 0x38000000;  // the secure aliases
  static const std::vector<KernelCore> cores = {
      {"cortex-m4f", "mps2-an386", plenty, plenty},
      {"cortex-m7", "mps2-an500", plenty, plenty},
      {"cortex-m0", "microbit", Bytes{256 << 10}, Bytes{16 << 10}},
      {"cortex-m33", "mps2-an505", plenty, Bytes{2 << 20}, an505_code, an505_data},
      {"cortex-m0plus", "microbit", Bytes{256 << 10}, Bytes{16 << 10}}};
  return cores;
}

std::vector<KernelCore> tried_cores() {
  const auto& cores = kernel_cores();
  if (std::getenv("ASSAY_EVERY_CORE")) return cores;
  return {cores[0], cores[2], cores[3]};
}

const KernelCore& roomy_m0() {
  static const KernelCore core{"cortex-m0", "mps2-an385", Bytes{4 << 20}, Bytes{4 << 20}};
  return core;
}

Core core_of(const KernelCore& core) {
  return load_core(core.name).value();
}

std::uint64_t memory_needed(const KernelCase& one) {
  const LayerView view = view_of(one.graph);
  const auto with_guards = [](std::uint64_t size) { return (size + 7) / 8 * 8 + 32; };
  const auto input = static_cast<std::uint64_t>(places_of(one.graph).bytes);
  const auto output = static_cast<std::uint64_t>(view.output.bytes());
  return with_guards(one.in_place ? std::max(input, output) : input) + with_guards(output) +
         with_guards(one.kernel->scratch(view).count());
}

namespace {

std::vector<std::int8_t> wide_values(InputFill fill, std::int64_t size) {
  std::vector<std::int16_t> values;
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < size; ++i) {
    state = state * 1664525u + 1013904223u;
    values.push_back(fill == InputFill::lowest    ? std::int16_t{-32768}
                     : fill == InputFill::highest ? std::int16_t{32767}
                                                  : static_cast<std::int16_t>(state >> 16));
  }
  return bytes_of(std::span<const std::int16_t>(values));
}

}  // namespace

std::vector<std::int8_t> input_bytes(InputFill fill, const ActivationTensor& tensor) {
  if (tensor.element == Element::int8) return input_values(fill, tensor.size());
  if (tensor.element == Element::int16) return wide_values(fill, tensor.size());
  std::vector<float> values;
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    const auto steps = static_cast<std::int32_t>(state) / 256;
    values.push_back(fill == InputFill::lowest    ? -3.1415927f
                     : fill == InputFill::highest ? 1e-39f
                                                  : static_cast<float>(steps) * 0x1p-21f);
  }
  return bytes_of(std::span<const float>(values));
}

std::vector<std::int8_t> input_values(InputFill fill, std::int64_t size) {
  std::vector<std::int8_t> values;
  std::uint32_t state = 1;
  for (std::int64_t i = 0; i < size; ++i) {
    state = state * 1664525u + 1013904223u;
    values.push_back(fill == InputFill::lowest    ? std::int8_t{-128}
                     : fill == InputFill::highest ? std::int8_t{127}
                                                  : static_cast<std::int8_t>(state >> 24));
  }
  return values;
}

Result<std::vector<std::vector<KernelOutcome>>> run_on_device(const std::vector<KernelCase>& cases,
                                                              const KernelCore& core,
                                                              const std::string& optimization) {
  return run_in_programs(cases, core.flash, [&](const std::vector<KernelCase>& some) {
    return run_program(some, core, optimization);
  });
}

Result<std::vector<std::vector<KernelOutcome>>> run_under_linux(
    const std::vector<KernelCase>& cases, const Core& core, const std::string& optimization) {
  constexpr Bytes plenty{1 << 20};
  return run_in_programs(cases, plenty, [&](const std::vector<KernelCase>& some) {
    return run_linux_program(some, core, optimization);
  });
}

}  // namespace assay::test
