#include "targets/build/library.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <regex>
#include <set>

#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "targets/build/layer_source.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view language_flags =
    "-std=c++17 -O2 -ffunction-sections -fdata-sections \\\n    "
    "-fno-exceptions -fno-rtti -fno-threadsafe-statics -ffp-contract=off";

/// The files of ours that a source includes: what stands in quotes.
std::vector<std::string> includes_of(const std::string& source) {
  static const std::regex directive("(^|\n)#include \"([^\"]+)\"");
  std::vector<std::string> found;
  for (std::sregex_iterator it(source.begin(), source.end(), directive), end; it != end; ++it)
    found.push_back((*it)[2]);
  return found;
}

/// Every header that a source needs, and that those need.
Result<std::vector<LibraryFile>> headers_of(const std::string& source) {
  std::vector<LibraryFile> headers;
  std::set<std::string> seen;
  const auto first = includes_of(source);
  std::deque<std::string> open(first.begin(), first.end());
  for (; !open.empty(); open.pop_front()) {
    if (!seen.insert(open.front()).second) continue;
    const auto text = read_text(source_root() / open.front());
    if (!text)
      return fail(ErrorKind::infrastructure,
                  fmt::format("the runtime's sources are not complete: {}", text.error().message));
    headers.push_back({open.front(), *text});
    const auto more = includes_of(*text);
    open.insert(open.end(), more.begin(), more.end());
  }
  return headers;
}

std::string shape_constants(const char* name, const ActivationTensor& tensor) {
  std::string text =
      fmt::format("constexpr int {0}_height = {1}, {0}_width = {2}, {0}_channels = {3};\n", name,
                  tensor.height, tensor.width, tensor.channels);
  if (tensor.element != Element::float32)
    text += fmt::format(
        "constexpr float {0}_scale = {1:#.9g}f;  // real = {0}_scale * (q - {0}_zero_point)\n"
        "constexpr int {0}_zero_point = {2};\n",
        name, tensor.scale, tensor.zero_point);
  return text;
}

const ActivationTensor& input_of(const LibraryOrder& order) {
  return order.graph->tensors[static_cast<std::size_t>(order.graph->input)];
}
const ActivationTensor& output_of(const LibraryOrder& order) {
  return order.graph->tensors[static_cast<std::size_t>(order.graph->output)];
}

bool is_float(const LibraryOrder& order) {
  return input_of(order).element == Element::float32;
}

std::string header_text(const LibraryOrder& order) {
  std::string text = fmt::format(
      "// The network of {0}: write input(), call run(), read output().\n"
      "//\n"
      "// input() is {1} [height][width][channels] (NHWC), output() the {1} logits; both lie in\n"
      "// {2} of {3} bytes, and the output is valid until the next input is\n"
      "// written. Not reentrant; no heap, no exceptions{4}.\n",
      comment_text(order.name), arithmetic_of(*order.graph),
      order.model.arenas.size() > 1 ? "static arenas" : "one static arena",
      order.model.arena_bytes.count(), is_float(order) ? "" : ", no floating point");
  for (const GeneratedArena& arena : order.model.arenas)
    text += fmt::format("// {} is the section of its {} bytes in {}: see README.txt.\n",
                        arena_macro(arena.region), arena.bytes.count(), arena.region);
  if (is_float(order))
    text +=
        "// Compile with -ffp-contract=off and without -ffast-math: results are then the same "
        "bits\n"
        "// everywhere. input() and output() point to the first byte of the numbers.\n";
  if (input_of(order).element == Element::int16)
    text += "// input() and output() point to the first byte of the numbers, aligned to 8.\n";
  if (!order.normalization.empty()) text += "//\n// " + order.normalization + "\n";
  return text + "#pragma once\n\n#include \"targets/runtime/model.hpp\"\n\n" +
         "namespace assay::model {\n\n" + shape_constants("input", input_of(order)) + "\n" +
         shape_constants("logit", output_of(order)) +
         fmt::format("\nconstexpr std::size_t input_bytes = {};\n",
                     order.model.input_bytes.count()) +
         fmt::format("constexpr std::size_t logits = {};\n", output_of(order).size()) +
         fmt::format("constexpr std::size_t arena_bytes = {};\n", order.model.arena_bytes.count()) +
         fmt::format("constexpr std::size_t constant_bytes = {};\n",
                     order.model.weight_bytes.count()) +
         "\n}  // namespace assay::model\n";
}

/// {0}: the type of an element, {1}: what gives the input, {2}: element i of the pattern, {3}: what
/// gives the output, {4}: what belongs there.
constexpr std::string_view example_text =
    R"(// Fills the input, runs the network once and prints the class with the largest logit.
#include <cstdio>

#include "model.hpp"

int main() {{
  // A pattern; put your {4} here, [height][width][channels].
  {0}* input = {1};
  for (std::size_t i = 0; i < assay::model::input_bytes / sizeof *input; ++i)
    input[i] = {2};

  assay::model::run();

  const {0}* output = {3};
  std::size_t best = 0;
  for (std::size_t i = 1; i < assay::model::logits; ++i)
    if (output[i] > output[best]) best = i;
  std::printf("%u\n", static_cast<unsigned>(best));
}}
)";

std::string example_of(const LibraryOrder& order) {
  if (is_float(order))
    return fmt::format(example_text, "float", "reinterpret_cast<float*>(assay::model::input())",
                       "static_cast<float>(i * 7 % 256) / 128 - 1",
                       "reinterpret_cast<const float*>(assay::model::output())",
                       "normalized pixels");
  if (input_of(order).element == Element::int16)
    return fmt::format(
        example_text, "std::int16_t", "reinterpret_cast<std::int16_t*>(assay::model::input())",
        "static_cast<std::int16_t>(i * 1801 % 65536)",
        "reinterpret_cast<const std::int16_t*>(assay::model::output())", "quantized pixels");
  return fmt::format(example_text, "std::int8_t", "assay::model::input()",
                     "static_cast<std::int8_t>(i * 7 % 256)", "assay::model::output()",
                     "quantized pixels");
}

std::string compile_lines(const LibraryOrder& order) {
  if (!order.core) return fmt::format("  g++ {} -I. -c model.cpp\n", language_flags);
  const auto& linux_tools = order.core->linux_tools;
  return fmt::format("  {} {} \\\n    {} -I. -c model.cpp\n",
                     linux_tools ? linux_tools->compiler : "arm-none-eabi-g++",
                     fmt::join(order.core->compile_flags, " "), language_flags);
}

const MemoryRegion& region_of(const Part& part, const std::string& name) {
  return *std::ranges::find(part.memory, name, &MemoryRegion::name);
}

/// "4096 bytes of RAM"; of the bank that the plan has stack and variables in.
std::string left_text(const GeneratedModel& model, const Part& part) {
  Bytes left = region_of(part, model.home).size;
  for (const GeneratedArena& arena : model.arenas)
    if (arena.region == model.home) left = left - arena.bytes;
  return fmt::format("{} bytes of {}", left.count(), model.home);
}

/// The rules of a linker script that put every arena in its bank.
std::string linker_rules(const GeneratedModel& model) {
  std::string text;
  for (const GeneratedArena& arena : model.arenas)
    text += fmt::format("  .arena.{0} (NOLOAD) : {{ *({1}) }} >{0}\n", arena.region,
                        arena_section(arena.region));
  return text;
}

/// In which banks of the part's RAM the arena was planned to lie, and how to put it there.
std::string arenas_text(const GeneratedModel& model, const Part& part) {
  std::string text =
      model.arenas.size() > 1
          ? "No bank of RAM has room for the whole arena. Its arrays and their banks:\n"
          : "The arena's bank of RAM:\n";
  for (const GeneratedArena& arena : model.arenas) {
    const MemoryRegion& bank = region_of(part, arena.region);
    text += fmt::format("  {}, {} bytes, for {} ({} bytes at {:#010x})\n", arena_name(arena.region),
                        arena.bytes.count(), bank.name, bank.size.count(), bank.base);
  }
  const std::string& first = model.arenas.front().region;
  const char* where = model.arenas.size() > 1
                          ? "In your linker script, before the rule for .bss"
                          : "Where your .bss lies in another bank, add before its rule";
  return text +
         fmt::format(
             "{}:\n\n{}\n"
             "with your script's names of these memories after the >. To give a section another\n"
             "name, define its macro where you compile model.cpp: -D{}='\"{}\"'. A\n"
             "name that begins with .bss. keeps zeros out of flash. No array need be cleared, but\n"
             "the memory's clock must run. The plan leaves {} for your stack and variables.\n\n",
             where, linker_rules(model), arena_macro(first), ".bss.mine", left_text(model, part));
}

std::string readme_text(const LibraryOrder& order) {
  std::string text = fmt::format(
      "{}, for {}\n\nGenerated by assay. Put this folder into your project and compile\n\n{}\n"
      "with the folder itself among the include paths. example.cpp shows how the network is\n"
      "called, model.hpp what goes in and comes out. On a microcontroller give example.cpp's\n"
      "printf something to print on, or take the loop alone.\n\n"
      "Two networks in one program: compile each folder, and the source that calls it, with a\n"
      "namespace of its own, as in -Dassay=first.\n\n",
      order.name, order.core ? order.core->name : "any processor", compile_lines(order));
  text += fmt::format(
      "Flash: {} bytes of constants, and the kernels' code.\n"
      "RAM: {} bytes of arena, and the stack.\n"
      "Multiply-accumulates of one inference: {}.\n\n",
      order.model.weight_bytes.count(), order.model.arena_bytes.count(), order.model.macs.count());
  if (order.part && !order.model.arenas.empty()) text += arenas_text(order.model, *order.part);
  text += "Layer by layer:\n";
  for (const GeneratedLayer& layer : order.model.layers)
    text += fmt::format("  {}: {}, {} bytes of constants\n", layer.name, layer.kernel,
                        layer.constants.count());
  return text +
         "\nThe headers below targets/ are part of assay, under the MIT License in LICENSE: keep\n"
         "that file with them. The constants in model.cpp are those of your model, and yours.\n";
}

/// Absolute, without a slash at its end.
fs::path final_path(const fs::path& folder) {
  const fs::path place = fs::absolute(folder).lexically_normal();
  return place.has_filename() ? place : place.parent_path();
}

}  // namespace

Result<std::vector<LibraryFile>> library_files(const LibraryOrder& order) {
  ASSAY_TRY(auto files, headers_of(order.model.source));
  ASSAY_TRY(auto licence, read_text(source_root() / "LICENSE"));
  files.push_back({"LICENSE", std::move(licence)});
  files.push_back({"README.txt", readme_text(order)});
  files.push_back({"example.cpp", example_of(order)});
  files.push_back({"model.cpp", order.model.source});
  files.push_back({"model.hpp", header_text(order)});
  return files;
}

Status check_library_folder(const fs::path& folder) {
  if (folder.empty())
    return fail(ErrorKind::bad_input, "the folder to write has no name: give one to -o");
  std::error_code problem;
  const auto status = fs::symlink_status(folder, problem);
  const bool is_empty_folder = fs::is_directory(status) && fs::is_empty(folder, problem);
  if (fs::exists(status) && !is_empty_folder)
    return fail(ErrorKind::bad_input,
                fmt::format("{} exists already and is not an empty folder: remove it, or give "
                            "another name",
                            folder.string()));
  fs::path above = final_path(folder).parent_path();
  while (!fs::exists(above, problem) && above.has_relative_path())
    above = above.parent_path();
  if (fs::is_directory(above, problem) && ::access(above.c_str(), W_OK | X_OK) == 0) return {};
  return fail(ErrorKind::infrastructure,
              fmt::format("no folder can be made in {}: give -o another place", above.string()));
}

Status write_library(const std::vector<LibraryFile>& files, const fs::path& folder) {
  ASSAY_CHECK(check_library_folder(folder));
  std::error_code problem;
  const fs::path target = final_path(folder);
  ASSAY_TRY(auto scratch, ScratchDirectory::create(target.parent_path(), ".export-"));
  for (const LibraryFile& file : files)
    ASSAY_CHECK(write_atomically(scratch.path() / file.path, file.text));
  // It is made for its owner alone; what is exported is for everybody.
  fs::permissions(scratch.path(), fs::perms(0755), problem);
  return std::move(scratch).publish(target);  // in place of an empty one
}

}  // namespace assay
