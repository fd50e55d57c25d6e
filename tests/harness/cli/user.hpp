// What a user of assay has: a project folder, a cache, a temporary folder, and the built program
// run in them as a process of its own.
#pragma once

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/core/file.hpp"
#include "harness/core/process.hpp"

namespace assay::test {

/// How a command ended.
struct Answer {
  int exit_code = 0;
  std::string output;
  std::string errors;
};

class User {
 public:
  User();

  std::filesystem::path project() const { return home_.path() / "project"; }
  std::filesystem::path cache() const { return home_.path() / "cache" / "assay"; }
  std::filesystem::path temporary() const { return home_.path() / "tmp"; }

  /// Writes a file of the project.
  void write(const std::string& name, std::string_view content) const;

  /// `assay <arguments>` in the project folder; more variables of the environment.
  ProcessSpec command(const std::vector<std::string>& arguments,
                      const std::map<std::string, std::string>& environment = {}) const;
  /// Runs it to its end.
  Answer run(const std::vector<std::string>& arguments,
             const std::map<std::string, std::string>& environment = {}) const;
  /// Starts it; its standard error goes to a file.
  ChildProcess start(const std::vector<std::string>& arguments) const;
  /// What a started program has written to standard error so far.
  std::string errors_so_far() const;

  /// Every file and folder of the project, relative.
  std::set<std::string> project_files() const;
  /// The results in the cache, "kind/key" -> its files.
  std::map<std::string, std::set<std::string>> stages() const;
  /// Unfinished work in the cache.
  std::set<std::string> scratch() const;
  /// Names of the processes that this user's programs started and that still live, whoever their
  /// parent is now.
  std::multiset<std::string> processes() const;

 private:
  ScratchDirectory home_;
};

/// Whether the program under test was built with training.
bool can_train();

/// Waits until `done()`, at most `limit`; says whether it came true.
bool eventually(std::chrono::milliseconds limit, const std::function<bool()>& done);

/// Standard error is one sentence of assay's, on one line, that contains `words`.
MATCHER_P(IsOneSentence, words, "") {
  *result_listener << "which is:\n" << arg;
  const std::string text = arg;
  return text.starts_with("assay: ") && text.find('\n') == text.size() - 1 &&
         text.find(words) != std::string::npos;
}

}  // namespace assay::test
