// The import stage: a file that was trained elsewhere in, a network for the data set out.
#include <fmt/format.h>

#include "compress/models/foreign_network.hpp"
#include "compress/train/stages.hpp"
#include "compress/train/torchscript.hpp"
#include "compress/train/trainable_network.hpp"
#include "harness/core/hash.hpp"

namespace assay {
namespace {

Result<onnx::Model> read_foreign(const std::filesystem::path& path, const DatasetInfo& data) {
  if (!is_torchscript(path)) return read_foreign_network(path, data);
  ASSAY_TRY(const onnx::Model model,
            read_torchscript(path, {data.channels, data.height, data.width}));
  return adopt_network(model, data, path.string());
}

}  // namespace

Status run_work(const StageDescription& stage, const ImportStage& work,
                const StageContext& context) {
  ASSAY_TRY(const std::string hash, sha256_file(work.file));
  if (hash != work.sha256)
    return fail(ErrorKind::bad_input,
                fmt::format("{} has changed since the run was planned: its SHA-256 was {} and is "
                            "{}; start again",
                            work.file.string(), work.sha256, hash));
  ASSAY_TRY(const DatasetInfo data, find_dataset(stage.data));
  ASSAY_TRY(const onnx::Model model, read_foreign(work.file, data));
  // What cannot be trained is refused here, by the name of the file that the user gave.
  ASSAY_CHECK(TrainableNetwork::create(model, work.file.string()));
  return onnx::write_model(model, context.out / "model.onnx");
}

}  // namespace assay
