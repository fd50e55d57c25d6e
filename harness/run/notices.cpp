#include "harness/run/notices.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "harness/core/json.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;

Result<Json> read_if_there(const fs::path& file) {
  if (!fs::exists(file)) return Json::object();
  return read_json_file(file);
}

/// Collects sentences, each once.
class Notices {
 public:
  void add(std::string sentence) {
    if (std::ranges::count(sentences_, sentence) == 0) sentences_.push_back(std::move(sentence));
  }

  /// A method's report: {"left_out": {layer: why}}, or {"layers": {layer: {"left_out": why}}}.
  void add_left_out(const std::string& method, const Json& report) {
    const Json left_out = report.value("left_out", Json::object());
    for (const auto& [layer, why] : left_out.items())
      add_left_out(method, layer, why);
    const Json layers = report.value("layers", Json());
    if (!layers.is_object()) return;
    for (const auto& [layer, told] : layers.items())
      if (told.is_object() && told.contains("left_out"))
        add_left_out(method, layer, told.at("left_out"));
  }

  std::vector<std::string> take() { return std::move(sentences_); }

 private:
  void add_left_out(const std::string& method, const std::string& layer, const Json& why) {
    add(fmt::format("{}: {} was left out, {}", method, layer, why.get<std::string>()));
  }

  std::vector<std::string> sentences_;
};

}  // namespace

Result<std::vector<std::string>> notices_of(const CellArtifacts& artifacts) {
  Notices notices;
  for (const fs::path& stage : artifacts.learned) {
    ASSAY_TRY(const Json training, read_if_there(stage / "training.json"));
    for (const char* method : {"noise", "prune", "cluster"})
      if (training.contains(method)) notices.add_left_out(method, training.at(method));
  }
  ASSAY_TRY(const Json quantization,
            read_if_there(artifacts.model.parent_path() / "quantization.json"));
  for (const Json& notice : quantization.value("notices", Json::array()))
    notices.add("quantize: " + notice.get<std::string>());
  if (!artifacts.evaluate.empty()) {
    ASSAY_TRY(const Json evaluation, read_if_there(artifacts.evaluate / "evaluation.json"));
    for (const Json& notice : evaluation.value("notices", Json::array()))
      notices.add("lowering: " + notice.get<std::string>());
  }
  if (artifacts.firmware.empty()) return notices.take();
  ASSAY_TRY(const Json firmware, read_if_there(artifacts.firmware / "firmware.json"));
  for (const Json& notice : firmware.value("notices", Json::array()))
    notices.add("kernels: " + notice.get<std::string>());
  return notices.take();
}

}  // namespace assay
