#include "targets/build/firmware.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <future>
#include <regex>
#include <sstream>
#include <string_view>

#include "harness/core/elf.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
#include "harness/core/paths.hpp"
#include "harness/core/process.hpp"
#include "targets/build/board_source.hpp"
#include "targets/build/complaint.hpp"
#include "targets/build/linker_script.hpp"
#include "targets/build/linux_program.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

constexpr std::string_view compiler = "arm-none-eabi-g++";
constexpr std::array<std::string_view, 3> optimization_levels{"-O2", "-O3", "-Os"};

/// Core, language (the list that also builds the runtime, handed over by CMake) and optimization.
Arguments code_flags(const FirmwareRequest& request) {
  Arguments flags = request.board.part.core.compile_flags;
  std::istringstream language(ASSAY_DEVICE_FLAGS);
  for (std::string flag; language >> flag;)
    flags.push_back(flag);
  flags.push_back(request.compiler_level);
  return flags;
}

/// Runs the compiler in the output directory, so that no absolute path of it enters a file.
Result<ProcessOutcome> run_compiler(const fs::path& directory, const Arguments& arguments,
                                    std::stop_token stop) {
  ProcessSpec spec;
  spec.arguments = {std::string(compiler)};
  spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
  spec.working_directory = directory;
  spec.environment = {{"LC_ALL", "C"}};
  ASSAY_TRY(ProcessOutcome outcome, run_process(spec, stop));
  if (outcome.cancelled) return fail(ErrorKind::interrupted, "interrupted while building firmware");
  return outcome;
}

/// One source to one object in the output directory.
struct Compilation {
  std::string source;
  std::string object;
  Arguments defines;
};

Status compile(const FirmwareRequest& request, const Compilation& unit, std::stop_token stop) {
  Arguments arguments = code_flags(request);
  const std::string root = source_root().string();
  arguments.insert(arguments.end(), {"-I" + root, "-ffile-prefix-map=" + root + "=.", "-c",
                                     unit.source, "-o", unit.object});
  arguments.insert(arguments.end(), unit.defines.begin(), unit.defines.end());
  ASSAY_TRY(const auto outcome, run_compiler(request.output_directory, arguments, stop));
  if (outcome.exit_code != 0)
    return fail(ErrorKind::infrastructure,
                fmt::format("{} does not compile {} for {}: {}", compiler, unit.source,
                            request.board.part.name, first_complaint(outcome.errors)));
  return {};
}

/// Compiles every unit at once; the model dominates.
Status compile_all(const FirmwareRequest& request, const std::vector<Compilation>& units,
                   std::stop_token stop) {
  std::vector<std::future<Status>> running;
  for (const Compilation& unit : units)
    running.push_back(std::async(std::launch::async, [&] { return compile(request, unit, stop); }));
  Status result;
  for (auto& each : running)
    if (Status status = each.get(); !status && result) result = std::move(status);
  return result;
}

fs::path runtime_library(const Core& core) {
  return build_root() / "targets" / "port" / fmt::format("libassay_port_{}.a", core.name);
}

Status link(const FirmwareRequest& request, const std::vector<Compilation>& units,
            std::stop_token stop) {
  Arguments arguments = request.board.part.core.compile_flags;
  for (const Compilation& unit : units)
    arguments.push_back(unit.object);
  arguments.insert(
      arguments.end(),
      {runtime_library(request.board.part.core).string(), "-nostdlib", "-lc_nano", "-lgcc", "-T",
       "firmware.ld", "-Wl,--gc-sections", "-Wl,-n", "-Wl,--strip-debug", "-Wl,--build-id=sha1",
       "-Wl,--print-map", "-Wl,--fatal-warnings", "-o", "firmware.elf"});
  ASSAY_TRY(const auto outcome, run_compiler(request.output_directory, arguments, stop));
  // The linker calls a map that a full disk cut short a success, so it does not write the file.
  ASSAY_CHECK(write_atomically(request.output_directory / "firmware.map", outcome.output));
  if (outcome.exit_code == 0) return {};
  if (const auto overflow = describe_overflow(outcome.errors, request.board.part.name))
    return fail(ErrorKind::failed_verdict, "does not fit: " + *overflow);
  return fail(ErrorKind::infrastructure,
              fmt::format("the firmware for {} does not link: {}", request.board.part.name,
                          first_complaint(outcome.errors)));
}

Status check_request(const FirmwareRequest& request) {
  if (std::ranges::find(optimization_levels, request.compiler_level) == optimization_levels.end())
    return fail(ErrorKind::bad_input,
                fmt::format("unknown optimization level \"{}\": choose one of {}",
                            request.compiler_level, fmt::join(optimization_levels, ", ")));
  if (!find_program(compiler))
    return fail(ErrorKind::infrastructure,
                fmt::format("{} is not installed: install the packages gcc-arm-none-eabi, "
                            "libnewlib-arm-none-eabi and libstdc++-arm-none-eabi-dev",
                            compiler));
  const fs::path library = runtime_library(request.board.part.core);
  if (!fs::exists(library))
    return fail(
        ErrorKind::infrastructure,
        fmt::format("the runtime {} is missing: build the target assay_port", library.string()));
  return {};
}

LinkerMemory memory_of(const FirmwareRequest& request) {
  LinkerMemory memory{request.stack_reserve, request.model.input_bytes, request.model.home, {}};
  for (const GeneratedArena& arena : request.model.arenas)
    memory.arenas.push_back(arena.region);
  return memory;
}

Result<std::string> compiler_version(const fs::path& directory, std::stop_token stop) {
  ASSAY_TRY(const auto outcome, run_compiler(directory, {"--version"}, stop));
  return outcome.output.substr(0, outcome.output.find('\n'));
}

/// "1234567" as "1 234 567".
std::string grouped(const std::string& digits) {
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ' ';
    text += digits[i];
  }
  return text;
}

Status account(FirmwareImage& image) {
  ASSAY_TRY(const ElfImage elf, read_elf(image.elf));
  const auto size = [&](const char* section) {
    const auto found = elf.sections.find(section);
    return found == elf.sections.end() ? Bytes(0) : found->second;
  };
  image.build_id = elf.build_id;
  image.rom = elf.programmed;
  image.rom_weights = size(".weights");
  image.rom_code = size(".model_code");
  image.rom_runtime = image.rom - image.rom_weights - image.rom_code;
  image.ram_arena = size(".arena");
  for (const auto& [name, bytes] : elf.sections)
    if (name.starts_with(".arena.")) image.ram_arena += bytes;
  image.ram_static = size(".data") + size(".static") + size(".ring");
  image.stack_reserve = size(".stack");
  image.functions = elf.functions;
  return {};
}

}  // namespace

std::optional<std::string> describe_overflow(const std::string& linker_errors,
                                             const std::string& part) {
  static const std::regex overflow("region [`']([^']+)' overflowed by ([0-9]+) bytes?");
  std::string text;
  for (std::sregex_iterator found(linker_errors.begin(), linker_errors.end(), overflow), end;
       found != end; ++found) {
    if (!text.empty()) text += ", ";
    text += fmt::format("region {} of {} overflows by {} bytes", (*found)[1].str(), part,
                        grouped((*found)[2]));
  }
  if (text.empty()) return std::nullopt;
  return text;
}

Result<FirmwareImage> build_firmware(const FirmwareRequest& request, std::stop_token stop) {
  if (request.board.part.runs_linux()) return build_linux_program(request, std::move(stop));
  ASSAY_CHECK(check_request(request));
  const fs::path& directory = request.output_directory;
  const Part& part = request.board.part;

  FirmwareImage image;
  image.elf = directory / "firmware.elf";
  image.map = directory / "firmware.map";
  image.linker_script = directory / "firmware.ld";
  image.clock = request.clock.value_or(request.board.clock);
  image.flags = code_flags(request);

  ASSAY_TRY(const std::string board, board_source(request.board, image.clock));
  ASSAY_CHECK(write_atomically(directory / "model.cpp", request.model.source));
  ASSAY_CHECK(write_atomically(directory / "board.cpp", board));
  ASSAY_CHECK(write_atomically(image.linker_script, linker_script(part, memory_of(request))));
  ASSAY_TRY(image.compiler, compiler_version(directory, stop));

  const fs::path entry = source_root() / "targets" / "wire" / "firmware_main.cpp";
  const std::vector<Compilation> units{
      {"model.cpp", "model.o", {}},
      {"board.cpp", "board.o", {}},
      {entry.string(), "entry.o", {fmt::format("-DASSAY_PART_NAME=\"{}\"", part.name)}}};
  ASSAY_CHECK(compile_all(request, units, stop));
  ASSAY_CHECK(link(request, units, stop));
  for (const Compilation& unit : units)
    fs::remove(directory / unit.object);
  ASSAY_CHECK(account(image));
  ASSAY_TRY(image.sha256, sha256_file(image.elf));
  return image;
}

}  // namespace assay
