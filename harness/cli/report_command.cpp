// assay report: the report of a matrix from stored records, without running anything.
#include <fmt/core.h>

#include <memory>

#include "harness/cli/command.hpp"
#include "harness/cli/project.hpp"
#include "harness/run/publish.hpp"

namespace assay::cli {
namespace {

struct Options {
  Project project;
  std::string matrix;
};

Result<int> run(const Options& options) {
  ASSAY_TRY(auto store, Store::open(options.project.store, Store::Mode::must_exist));
  ASSAY_TRY(const auto input, stored_report(options.matrix, store));
  const auto folder = options.project.output / options.matrix / "report";
  ASSAY_CHECK(write_reports(input, folder));
  for (const auto& format : report_formats())
    fmt::print("{}\n", (folder / format.file_name).string());
  return 0;
}

}  // namespace

Action declare_report(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("matrix", options->matrix, "Name of the matrix")->required();
  options->project.add_store(app);
  options->project.add_output(app);
  return [options] { return run(*options); };
}

}  // namespace assay::cli
