#include "targets/build/host_target.hpp"

#include <fmt/format.h>

#include <string>

#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "harness/core/process.hpp"
#include "targets/build/complaint.hpp"

namespace assay {
namespace {

std::vector<std::string> compile_command(const HostProgram& program) {
  const std::filesystem::path root = source_root();
  std::vector<std::string> command = {"g++",
                                      "-std=c++17",
                                      "-O3",
                                      "-ffp-contract=off",  // as on the device
                                      "-pipe",
                                      "-I" + root.string(),
                                      "-DASSAY_PART_NAME=\"host\"",
                                      "-Wl,--build-id=sha1",
                                      program.source.string()};
  for (const char* file : {"targets/wire/firmware_main.cpp", "targets/wire/firmware_loop.cpp",
                           "targets/wire/frame.cpp", "targets/port/host/port_host.cpp"})
    command.push_back((root / file).string());
  command.insert(command.end(), {"-o", program.executable.string()});
  return command;
}

}  // namespace

Result<HostProgram> build_host_program(const GeneratedModel& model,
                                       const std::filesystem::path& directory,
                                       std::stop_token stop) {
  const HostProgram program{directory / "model", directory / "model.cpp"};
  if (!find_program("g++"))
    return fail(ErrorKind::infrastructure,
                "g++ is not installed, and the host target is compiled with it: install g++");
  ASSAY_CHECK(write_atomically(program.source, model.source));
  ProcessSpec compiler;
  compiler.arguments = compile_command(program);
  ASSAY_TRY(const ProcessOutcome outcome, run_process(compiler, stop));
  if (outcome.cancelled)
    return fail(ErrorKind::interrupted, "compiling the host program was interrupted");
  if (outcome.exit_code != 0)
    return fail(ErrorKind::infrastructure,
                fmt::format("g++ could not compile {}: {}", program.source.string(),
                            first_complaint(outcome.errors)));
  return program;
}

}  // namespace assay
