#include "harness/plan/stage.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include <fmt/format.h>

#include "code_versions.hpp"
#include "harness/core/elf.hpp"
#include "harness/core/hash.hpp"
#include "harness/core/paths.hpp"

namespace assay {

namespace {

namespace fs = std::filesystem;

/// As cmake/hash_sources.cmake does it.
std::string hash_sources(const fs::path& root, const std::vector<const char*>& folders) {
  constexpr std::array<std::string_view, 5> kinds{".cpp", ".hpp", ".h", ".ld", ".txt"};
  std::string all;
  for (const char* folder : folders) {
    std::vector<std::string> files;
    std::error_code none;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder, none))
      if (std::ranges::count(kinds, entry.path().extension().string()) > 0)
        files.push_back(entry.path().lexically_relative(root).generic_string());
    std::ranges::sort(files);
    for (const auto& file : files)
      all += fmt::format("{}{} {}", all.empty() ? "" : ";", file,
                         sha256_file(root / file).value_or("unreadable"));
  }
  return sha256_hex(all).substr(0, 16);
}

}  // namespace

std::string_view to_string(StageKind kind) {
  constexpr std::array words{"import",         "train",    "prune",    "cluster", "logits",
                             "evaluate-torch", "quantize", "evaluate", "trial",   "firmware"};
  return words[static_cast<std::size_t>(kind)];
}

bool runs_in_worker(StageKind kind) {
  return kind != StageKind::evaluate && kind != StageKind::trial && kind != StageKind::firmware;
}

bool keeps_checkpoints(StageKind kind) {
  using enum StageKind;
  return kind == train || kind == prune || kind == cluster || kind == quantize;
}

std::string code_version(StageKind kind) {
  if (kind == StageKind::evaluate) return ASSAY_CODE_VERSION_EVALUATE;
  if (kind == StageKind::trial) return ASSAY_CODE_VERSION_TRIAL;
  if (kind == StageKind::firmware) return ASSAY_CODE_VERSION_FIRMWARE;
  return ASSAY_CODE_VERSION_TRAIN;
}

std::string measurement_code_version(bool virtual_board) {
  return virtual_board ? ASSAY_CODE_VERSION_MEASURE ASSAY_CODE_VERSION_VIRTUAL
                       : ASSAY_CODE_VERSION_MEASURE;
}

std::string host_record_code_version() {
  return ASSAY_CODE_VERSION_FIGURES;
}

std::string sources_version() {
  return ASSAY_CODE_VERSION_ALL;
}

Json training_environment() {
  return {{"torch", build_identity(ASSAY_TORCH_LIBRARY)},
          {"blas", build_identity(ASSAY_BLAS_LIBRARY)},
          {"openblas", build_identity(ASSAY_OPENBLAS_LIBRARY)},
          {"dnnl", build_identity(ASSAY_DNNL_LIBRARY)}};
}

Status check_sources() {
  if (hash_sources(source_root(), {"targets/runtime", "targets/wire", "targets/port"}) ==
      ASSAY_CODE_VERSION_RUNTIME)
    return {};
  return fail(ErrorKind::infrastructure,
              fmt::format("the sources in {} are not those this assay was built from: build again",
                          (source_root() / "targets").string()));
}

std::string stage_key(const Stage& stage, const std::vector<Stage>& stages, const Json& facts) {
  Json inputs = Json::object();
  for (const auto& input : stage.inputs)
    inputs[input.name] = {{"key", stages.at(input.stage).key}, {"file", input.file}};
  return sha256_hex(canonical_json({{"kind", to_string(stage.kind)},
                                    {"settings", stage.settings},
                                    {"inputs", inputs},
                                    {"code", code_version(stage.kind)},
                                    {"facts", facts}}));
}

}  // namespace assay
