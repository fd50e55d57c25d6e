// assay doctor: what is installed, attached and missing, and what to do about it.
#include <fmt/core.h>

#include <memory>
#include <set>

#include "boards/station/inventory.hpp"
#include "compress/data/dataset.hpp"
#include "harness/cli/command.hpp"
#include "harness/cli/project.hpp"
#include "harness/core/part.hpp"
#include "harness/core/process.hpp"
#include "harness/run/preflight.hpp"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

/// One thing that was looked at.
struct Finding {
  std::string what;
  bool ok = false;
  std::string detail;     ///< a version or path, or what to do
  bool optional = false;  ///< not ok is no fault
};

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

Finding look_at(const RequiredTool& tool) {
  Finding finding{fmt::format("{} ({})", tool.program, tool.purpose), false, ""};
  const auto path = find_program(tool.program);
  if (!path) {
    finding.detail = fmt::format("missing: install the package {}", tool.package);
    return finding;
  }
  ProcessSpec spec;
  spec.arguments = {path->string(), "--version"};
  spec.deadline = std::chrono::seconds(10);
  const auto outcome = run_process(spec);
  finding.ok = outcome && outcome->exit_code == 0;
  // OpenOCD writes its version to standard error.
  if (finding.ok)
    finding.detail = first_line(outcome->output.empty() ? outcome->errors : outcome->output);
  else
    finding.detail = fmt::format("{} does not run", path->string());
  return finding;
}

/// Compilers and emulators of the boards that run Linux; a project without such boards needs none.
std::vector<Finding> look_at_linux_tools() {
  std::vector<Finding> findings;
  std::set<std::string> seen;
  const auto look = [&](const std::string& program, const std::string& package, const char* use) {
    if (!seen.insert(program).second) return;
    findings.push_back(look_at({program.c_str(), package.c_str(), use, std::nullopt}));
    findings.back().optional = true;
  };
  for (const auto& name : known_parts()) {
    const auto part = load_part(name);
    if (!part || !part->runs_linux()) continue;
    const LinuxTools& tools = *part->core.linux_tools;
    look(tools.compiler, tools.compiler_package, "boards under Linux");
    look(tools.emulator, tools.emulator_package, "virtual boards under Linux");
  }
  return findings;
}

Finding look_at_own(const char* program, const char* advice) {
  const auto path = own_program(program);
  const bool there = fs::exists(path);
  return {program, there, there ? path.string() : fmt::format("not built: {}", advice)};
}

Finding look_at_data(const std::string& name) {
  const std::string what = fmt::format("data set {}", name);
  const auto place = locate_dataset(name);
  if (!place) return {what, false, place.error().message};
  if (!place->present) return {what, false, "not here: " + place->remedy, place->fetched};
  const auto status = verify_dataset(name);
  if (!status) return {what, false, status.error().message};
  return {what, true, place->folder.empty() ? "made by assay" : "checksums verified"};
}

Finding look_at_cache(const fs::path& path) {
  std::error_code code;
  fs::create_directories(path, code);
  const auto space = fs::space(path, code);
  if (code) return {"stage cache", false, fmt::format("{}: {}", path.string(), code.message())};
  return {"stage cache", true,
          fmt::format("{}, {:.0f} GiB free", path.string(),
                      static_cast<double>(space.available) / (1024.0 * 1024 * 1024))};
}

Finding look_at_boards(const fs::path& path) {
  const auto boards = load_inventory(path);
  if (!boards) return {"board inventory", false, boards.error().message};
  std::size_t missing = 0;
  for (const auto& board : *boards)
    missing += !board.virtual_board && !board.type.part.runs_linux() && !fs::exists(board.uart);
  return {"board inventory", missing == 0,
          missing ? fmt::format("{} of {} boards in {} have no UART device: plug them in", missing,
                                boards->size(), path.string())
                  : fmt::format("{} boards in {}", boards->size(), path.string())};
}

Result<int> run(const Project& project, bool json) {
  std::vector<Finding> findings;
  for (const auto& tool : required_tools())
    findings.push_back(look_at(tool));
  for (auto& finding : look_at_linux_tools())
    findings.push_back(std::move(finding));
  findings.push_back(look_at_own("assay-train", "configure with ASSAY_TRAIN=ON to train"));
  findings.push_back(look_at_own("virtual-board", "build the target virtual-board"));
  for (const auto& name : known_datasets())
    findings.push_back(look_at_data(name));
  findings.push_back(look_at_cache(project.cache));
  findings.push_back(look_at_boards(project.boards));

  bool ok = true;
  Json list = Json::array();
  for (const auto& finding : findings) {
    ok = ok && (finding.ok || finding.optional);
    list.push_back({{"what", finding.what},
                    {"ok", finding.ok},
                    {"optional", finding.optional},
                    {"detail", finding.detail}});
    const char* verdict = finding.ok ? "ok" : finding.optional ? "optional" : "MISSING";
    if (!json) fmt::print("{:<8} {:<34} {}\n", verdict, finding.what, finding.detail);
  }
  if (json) fmt::print("{}\n", list.dump(2));
  return ok ? 0 : exit_code(ErrorKind::infrastructure);
}

}  // namespace

Action declare_doctor(CLI::App& app) {
  auto project = std::make_shared<Project>();
  auto json = std::make_shared<bool>(false);
  project->add_cache(app);
  project->add_boards(app);
  app.add_flag("--json", *json, "Machine-readable");
  return [project, json] { return run(*project, *json); };
}

}  // namespace assay::cli
