// assay cache: what the stage cache holds, and how to make room.
#include <fmt/core.h>

#include <map>
#include <memory>

#include "harness/cli/command.hpp"
#include "harness/cli/project.hpp"
#include "harness/run/cache.hpp"

namespace assay::cli {
namespace {

struct Options {
  Project project;
  bool json = false;
  int unused_days = 30;
  bool dry_run = false;
  std::string key;
  CLI::App* usage = nullptr;
  CLI::App* prune = nullptr;
  CLI::App* pin = nullptr;
  CLI::App* unpin = nullptr;
};

double mebibytes(Bytes bytes) {
  return static_cast<double>(bytes.count()) / (1024.0 * 1024.0);
}

Result<int> show_usage(const Options& options, const StageCache& cache) {
  struct Usage {
    std::size_t results = 0;
    std::size_t pinned = 0;
    Bytes size;
  };
  std::map<std::string, Usage> kinds;
  Usage total;
  for (const auto& entry : cache.entries()) {
    for (Usage* usage : {&kinds[entry.kind], &total}) {
      ++usage->results;
      usage->pinned += entry.pinned;
      usage->size += entry.size;
    }
  }
  if (options.json) {
    Json json{{"path", cache.root().string()}, {"kinds", Json::object()}};
    for (const auto& [kind, usage] : kinds)
      json["kinds"][kind] = {
          {"results", usage.results}, {"pinned", usage.pinned}, {"bytes", usage.size.count()}};
    fmt::print("{}\n", json.dump(2));
    return 0;
  }
  fmt::print("Stage cache {}\n", cache.root().string());
  for (const auto& [kind, usage] : kinds)
    fmt::print("  {:<16}{:>6} results {:>10.1f} MiB\n", kind, usage.results, mebibytes(usage.size));
  fmt::print("  {:<16}{:>6} results {:>10.1f} MiB, {} pinned\n", "total", total.results,
             mebibytes(total.size), total.pinned);
  return 0;
}

Result<int> prune(const Options& options, const StageCache& cache) {
  const auto before =
      std::chrono::system_clock::now() - std::chrono::hours(24) * options.unused_days;
  const auto removed = cache.prune(before, options.dry_run);
  Bytes size;
  for (const auto& entry : removed)
    size += entry.size;
  fmt::print("{} {} results, {:.1f} MiB\n", options.dry_run ? "would remove" : "removed",
             removed.size(), mebibytes(size));
  return 0;
}

Result<int> pin(const Options& options, const StageCache& cache, bool pinned) {
  const auto count = cache.set_pinned(options.key, pinned);
  if (count == 0)
    return fail(ErrorKind::bad_input, fmt::format("no cached result has a key that starts with "
                                                  "\"{}\"; assay plan --json lists the keys",
                                                  options.key));
  fmt::print("{} {} results\n", pinned ? "pinned" : "unpinned", count);
  return 0;
}

}  // namespace

Action declare_cache(CLI::App& app) {
  auto options = std::make_shared<Options>();
  options->project.add_cache(app);
  app.require_subcommand(1);
  app.fallthrough();
  options->usage = app.add_subcommand("du", "Sizes by kind of stage");
  options->usage->add_flag("--json", options->json, "Machine-readable");
  options->prune = app.add_subcommand("prune", "Remove results that were not used for a while");
  options->prune->add_option("--unused-days", options->unused_days, "Days without use")
      ->capture_default_str()
      ->check(CLI::Range(0, 36500));
  options->prune->add_flag("--dry-run", options->dry_run, "Only say what would be removed");
  options->pin = app.add_subcommand("pin", "Never prune the results under a key");
  options->unpin = app.add_subcommand("unpin", "Prune them again");
  for (CLI::App* verb : {options->pin, options->unpin})
    verb->add_option("key", options->key, "Stage key, or the start of one")->required();
  options->usage->footer("Example:\n  assay cache du --json");
  options->prune->footer("Example:\n  assay cache prune --unused-days 30");
  options->pin->footer(
      "Example, with a key from assay plan MATRIX --json:\n  assay cache pin 3f2a");
  options->unpin->footer("Example:\n  assay cache unpin 3f2a");
  return [options]() -> Result<int> {
    const StageCache cache(options->project.cache);
    if (options->usage->parsed()) return show_usage(*options, cache);
    if (options->prune->parsed()) return prune(*options, cache);
    return pin(*options, cache, options->pin->parsed());
  };
}

}  // namespace assay::cli
