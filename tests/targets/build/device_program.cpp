#include "tests/targets/build/device_program.hpp"

#include <fmt/format.h>

#include <sstream>
#include <stdexcept>

#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "harness/core/process.hpp"
#include "targets/build/linker_script.hpp"

namespace assay::test {
namespace {

using Arguments = std::vector<std::string>;

Status run_compiler(const DeviceProgram& program, const Arguments& arguments) {
  ProcessSpec spec;
  spec.arguments = {"arm-none-eabi-g++"};
  const Arguments& flags = program.part.core.compile_flags;
  spec.arguments.insert(spec.arguments.end(), flags.begin(), flags.end());
  spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
  spec.working_directory = program.directory;
  ASSAY_TRY(const auto outcome, run_process(spec));
  if (outcome.exit_code != 0) return fail(ErrorKind::failed_verdict, outcome.errors);
  return {};
}

}  // namespace

Result<std::filesystem::path> build_device_program(const DeviceProgram& program) {
  Arguments objects;
  for (const auto& source : program.sources) {
    objects.push_back(source.stem().string() + ".o");
    Arguments arguments{"-std=c++17",
                        "-O2",
                        "-ffunction-sections",
                        "-fdata-sections",
                        "-fno-exceptions",
                        "-fno-rtti",
                        "-ffp-contract=off",
                        "-Wall",
                        "-Wextra",
                        "-Werror",
                        "-I" + source_root().string(),
                        "-c",
                        source.string(),
                        "-o",
                        objects.back()};
    arguments.insert(arguments.end(), program.defines.begin(), program.defines.end());
    ASSAY_CHECK(run_compiler(program, arguments));
  }
  ASSAY_CHECK(write_atomically(program.directory / "program.ld",
                               linker_script(program.part, {Bytes(2048), Bytes(0), "", {}})));
  const auto runtime =
      build_root() / "targets" / "port" / fmt::format("libassay_port_{}.a", program.part.core.name);
  Arguments arguments = objects;
  arguments.insert(arguments.end(),
                   {runtime.string(), "-nostdlib", "-lc_nano", "-lgcc", "-T", "program.ld",
                    "-Wl,--gc-sections", "-Wl,-n", "-Wl,--build-id=sha1", "-o", "program.elf"});
  ASSAY_CHECK(run_compiler(program, arguments));
  return program.directory / "program.elf";
}

Part microbit_part() {
  Part part = *load_part("stm32f030cc");
  part.name = "microbit";
  part.memory = {{"FLASH", true, 0, Bytes(256 * 1024), "QEMU nrf51_soc"},
                 {"RAM", false, 0x20000000, Bytes(16 * 1024), "QEMU nrf51_soc"}};
  return part;
}

Part an500_part() {
  Part part = *load_part("stm32f746");
  part.name = "an500";
  part.memory = {{"FLASH", true, 0, Bytes(4 << 20), "QEMU mps2: SSRAM1"},
                 {"RAM", false, 0x20000000, Bytes(4 << 20), "QEMU mps2: SSRAM2 and 3"}};
  return part;
}

Part an505_part() {
  Part part = *load_part("stm32u575");
  part.name = "an505";
  part.memory = {{"FLASH", true, 0x10000000, Bytes(4 << 20), "QEMU mps2-tz: SSRAM1"},
                 {"RAM", false, 0x38000000, Bytes(2 << 20), "QEMU mps2-tz: SSRAM2"}};
  return part;
}

std::uint32_t symbol_address(const std::filesystem::path& elf, const std::string& name) {
  ProcessSpec spec;
  spec.arguments = {"arm-none-eabi-nm", elf.string()};
  std::istringstream lines(run_process(spec)->output);
  for (std::string address, type, symbol; lines >> address >> type >> symbol;)
    if (symbol == name) return static_cast<std::uint32_t>(std::stoul(address, nullptr, 16));
  throw std::runtime_error("no symbol " + name);
}

}  // namespace assay::test
