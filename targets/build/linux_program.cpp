#include "targets/build/linux_program.hpp"

#include <fmt/format.h>

#include <initializer_list>
#include <string_view>

#include "harness/core/elf.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
#include "harness/core/paths.hpp"
#include "harness/core/process.hpp"
#include "targets/build/complaint.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

/// Runs the compiler in the output directory, so that no absolute path of it enters a file; returns
/// its standard output.
Result<std::string> run_compiler(const FirmwareRequest& request, const Arguments& arguments,
                                 std::stop_token stop) {
  ProcessSpec spec;
  spec.arguments = {request.board.part.core.linux_tools->compiler};
  spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
  spec.working_directory = request.output_directory;
  spec.environment = {{"LC_ALL", "C"}};
  ASSAY_TRY(ProcessOutcome outcome, run_process(spec, stop));
  if (outcome.cancelled)
    return fail(ErrorKind::interrupted, "interrupted while building a program");
  if (outcome.exit_code != 0)
    return fail(ErrorKind::infrastructure,
                fmt::format("{} does not build the program for {}: {}", spec.arguments.front(),
                            request.board.part.name, first_complaint(outcome.errors)));
  return std::move(outcome.output);
}

/// Those that decide the code: core, language, optimization.
Arguments code_flags(const FirmwareRequest& request) {
  Arguments flags = request.board.part.core.compile_flags;
  flags.insert(flags.end(), {"-std=c++17", "-fno-exceptions", "-fno-rtti", "-ffp-contract=off",
                             request.compiler_level});
  return flags;
}

Status compile_and_link(const FirmwareRequest& request, const Arguments& flags,
                        std::stop_token stop) {
  const std::string root = source_root().string();
  Arguments common = flags;
  common.insert(common.end(), {"-I" + root, "-ffile-prefix-map=" + root + "=."});
  Arguments model = common;
  model.insert(model.end(), {"-c", "model.cpp", "-o", "model.o"});
  ASSAY_CHECK(run_compiler(request, model, stop));
  Arguments program = common;
  program.insert(program.end(),
                 {fmt::format("-DASSAY_PART_NAME=\"{}\"", request.board.part.name), "-static", "-s",
                  "-Wl,--gc-sections", "-Wl,--build-id=sha1", "model.o", "-o", "firmware.elf"});
  for (const char* file : {"targets/wire/firmware_main.cpp", "targets/wire/firmware_loop.cpp",
                           "targets/wire/frame.cpp", "targets/port/host/port_host.cpp"})
    program.push_back((source_root() / file).string());
  ASSAY_CHECK(run_compiler(request, program, stop));
  return {};
}

/// Bytes of the sections whose names begin with one of `prefixes`.
Bytes size_of(const ElfImage& elf, std::initializer_list<std::string_view> prefixes) {
  Bytes total;
  for (const auto& [name, size] : elf.sections)
    for (const std::string_view prefix : prefixes)
      if (name.starts_with(prefix)) total += size;
  return total;
}

Status account(FirmwareImage& image, const fs::path& model_object) {
  ASSAY_TRY(const ElfImage program, read_elf(image.elf));
  ASSAY_TRY(const ElfImage model, read_elf(model_object));
  image.build_id = program.build_id;
  image.rom = program.programmed;
  image.rom_weights = size_of(model, {".rodata"});
  image.rom_code = size_of(model, {".text"});
  image.rom_runtime = image.rom - image.rom_weights - image.rom_code;
  image.ram_arena = size_of(model, {".bss", ".data"});
  image.functions = model.functions;  // the program is stripped of them
  image.ram_static = size_of(program, {".bss", ".data", ".tbss", ".tdata"}) - image.ram_arena;
  return {};
}

}  // namespace

Status check_compiler(const LinuxTools& tools) {
  if (find_program(tools.compiler)) return {};
  return fail(ErrorKind::infrastructure, fmt::format("{} is not installed: install the package {}",
                                                     tools.compiler, tools.compiler_package));
}

Result<FirmwareImage> build_linux_program(const FirmwareRequest& request, std::stop_token stop) {
  const fs::path& directory = request.output_directory;
  ASSAY_CHECK(check_compiler(*request.board.part.core.linux_tools));
  FirmwareImage image;
  image.elf = directory / "firmware.elf";
  image.clock = request.board.clock;
  image.flags = code_flags(request);
  ASSAY_CHECK(write_atomically(directory / "model.cpp", request.model.source));
  ASSAY_TRY(const auto version, run_compiler(request, {"--version"}, stop));
  image.compiler = version.substr(0, version.find('\n'));
  ASSAY_CHECK(compile_and_link(request, image.flags, stop));
  ASSAY_CHECK(account(image, directory / "model.o"));
  fs::remove(directory / "model.o");
  ASSAY_TRY(image.sha256, sha256_file(image.elf));
  return image;
}

}  // namespace assay
