#include "tests/support/bare_metal_build.hpp"

#include <fmt/format.h>

#include <future>

#include "harness/core/paths.hpp"
#include "harness/core/process.hpp"

namespace assay::test {

namespace {

/// In the folder of the program, so that what it compiles is the same wherever that lies.
Status run_compiler(const BareMetalBuild& build, std::vector<std::string> arguments) {
  ProcessSpec spec;
  spec.working_directory = build.elf.parent_path();
  spec.arguments = std::move(arguments);
  spec.deadline = std::chrono::minutes(3);
  ASSAY_TRY(const ProcessOutcome outcome, run_process(spec));
  if (outcome.exit_code != 0)
    return fail(ErrorKind::failed_verdict, fmt::format("{} failed on {}: {}", spec.arguments[0],
                                                       spec.arguments.back(), outcome.errors));
  return {};
}

std::vector<std::string> base_command(const BareMetalBuild& build) {
  std::vector<std::string> command = {"arm-none-eabi-g++", "-mthumb", "-nostdlib"};
  command.insert(command.end(), build.core_flags.begin(), build.core_flags.end());
  return command;
}

Status compile(const BareMetalBuild& build, const std::filesystem::path& source,
               const std::filesystem::path& object) {
  auto command = base_command(build);
  for (const char* flag : {"-std=c++17", "-ffreestanding", "-fno-exceptions", "-fno-rtti",
                           "-fno-threadsafe-statics", "-ffp-contract=off", "-ffunction-sections",
                           "-fdata-sections", "-Wall", "-Wextra", "-Wno-register", "-Werror"})
    command.push_back(flag);
  command.insert(command.end(), {build.optimization, "-I", source_root().string(), "-c", "-o",
                                 object.string(), source.string()});
  return run_compiler(build, std::move(command));
}

}  // namespace

Status build_bare_metal(const BareMetalBuild& build) {
  auto sources = build.sources;
  const auto support = source_root() / "tests/support/bare_metal";
  sources.push_back(support / "bare_metal.cpp");
  std::vector<std::string> objects;
  for (auto& source : sources)
    if (source.parent_path() == build.elf.parent_path()) source = source.filename();
  for (std::size_t i = 0; i < sources.size(); i += 2) {
    std::vector<std::future<Status>> jobs;
    for (std::size_t j = i; j < std::min(i + 2, sources.size()); ++j) {
      objects.push_back(fmt::format("{}.{}.o", build.elf.string(), j));
      jobs.push_back(std::async(std::launch::async, compile, build, sources[j], objects.back()));
    }
    Status status;
    for (auto& job : jobs)
      if (auto one = job.get(); !one) status = one;
    ASSAY_CHECK(status);
  }
  auto command = base_command(build);
  command.insert(
      command.end(),
      {"-T", (support / "bare_metal.ld").string(), "-Wl,--gc-sections", "-Wl,-n",
       fmt::format("-Wl,--defsym=flash_base={}", build.flash_base),
       fmt::format("-Wl,--defsym=flash_size={}", build.flash.count()),
       fmt::format("-Wl,--defsym=ram_base={}", build.ram_base),
       fmt::format("-Wl,--defsym=ram_size={}", build.ram.count()), "-o", build.elf.string()});
  command.insert(command.end(), objects.begin(), objects.end());
  command.push_back("-lgcc");
  return run_compiler(build, std::move(command));
}

}  // namespace assay::test
