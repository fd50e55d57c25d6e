#include "tests/harness/cli/user.hpp"

#include <thread>

#include "harness/core/clock.hpp"
#include "harness/core/paths.hpp"

namespace assay::test {
namespace {

namespace fs = std::filesystem;

/// A variable of the environment by which a user's processes are known.
constexpr const char* mark = "ASSAY_TEST_USER";

std::set<std::string> files_below(const fs::path& folder) {
  std::set<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(folder, none))
    names.insert(entry.path().lexically_relative(folder).string());
  return names;
}

}  // namespace

User::User() : home_(ScratchDirectory::create(::testing::TempDir(), "user-").value()) {
  for (const auto& folder : {project(), temporary()})
    fs::create_directory(folder);
}

void User::write(const std::string& name, std::string_view content) const {
  const auto written = write_atomically(project() / name, content);
  EXPECT_TRUE(written) << written.error().message;
}

ProcessSpec User::command(const std::vector<std::string>& arguments,
                          const std::map<std::string, std::string>& environment) const {
  ProcessSpec spec;
  spec.arguments = {own_program("assay").string()};
  spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
  spec.environment = environment;
  spec.environment["XDG_CACHE_HOME"] = cache().parent_path().string();
  spec.environment["TMPDIR"] = temporary().string();
  spec.environment[mark] = home_.path().string();
  spec.working_directory = project();
  return spec;
}

Answer User::run(const std::vector<std::string>& arguments,
                 const std::map<std::string, std::string>& environment) const {
  const auto outcome = run_process(command(arguments, environment));
  EXPECT_TRUE(outcome) << outcome.error().message;
  if (!outcome) return {};
  return {outcome->exit_code, outcome->output, outcome->errors};
}

ChildProcess User::start(const std::vector<std::string>& arguments) const {
  auto child = ChildProcess::start(command(arguments), home_.path() / "errors");
  EXPECT_TRUE(child) << child.error().message;
  return std::move(child).value();
}

std::string User::errors_so_far() const {
  return read_text(home_.path() / "errors").value_or("");
}

std::set<std::string> User::project_files() const {
  return files_below(project());
}

std::map<std::string, std::set<std::string>> User::stages() const {
  std::map<std::string, std::set<std::string>> found;
  std::error_code none;
  for (const auto& kind : fs::directory_iterator(cache(), none)) {
    const auto name = kind.path().filename().string();
    if (name == "scratch" || name == "locks" || name == "checkpoints") continue;
    for (const auto& stage : fs::directory_iterator(kind))
      found[name + "/" + stage.path().filename().string()] = files_below(stage);
  }
  return found;
}

std::set<std::string> User::scratch() const {
  return files_below(cache() / "scratch");
}

std::multiset<std::string> User::processes() const {
  const std::string wanted = std::string(mark) + "=" + home_.path().string();
  std::multiset<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/proc", none)) {
    const auto variables = read_text(entry.path() / "environ").value_or("");
    if ((std::string(1, '\0') + variables).find('\0' + wanted + '\0') == std::string::npos)
      continue;
    auto name = read_text(entry.path() / "comm").value_or("gone\n");
    name.pop_back();
    names.insert(name);
  }
  return names;
}

bool can_train() {
  return WITH_TRAINING;
}

bool eventually(std::chrono::milliseconds limit, const std::function<bool()>& done) {
  const Deadline deadline(limit);
  while (!done()) {
    if (deadline.passed()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace assay::test
