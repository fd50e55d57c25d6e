#include "tests/onnxruntime/onnx_runtime.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "harness/core/process.hpp"

namespace assay::test {

namespace fs = std::filesystem;

Result<std::vector<float>> run_onnx_runtime(const fs::path& model,
                                            const std::vector<std::int64_t>& shape,
                                            std::span<const float> inputs) {
  const fs::path modules = source_root() / "build" / "onnxruntime" / "node_modules";
  if (!fs::exists(modules / "onnxruntime-node"))
    return fail(ErrorKind::infrastructure,
                "ONNX Runtime is not installed: run cmake/install-onnxruntime");
  ASSAY_TRY(const auto scratch, ScratchDirectory::create(fs::temp_directory_path(), "ort-"));
  const fs::path in = scratch.path() / "in.bin", out = scratch.path() / "out.bin";
  const std::string_view bytes(reinterpret_cast<const char*>(inputs.data()), inputs.size_bytes());
  ASSAY_CHECK(write_atomically(in, bytes));
  ProcessSpec spec;
  spec.arguments = {"node",
                    (source_root() / "tests" / "onnxruntime" / "run_model.js").string(),
                    modules.string(),
                    model.string(),
                    fmt::format("{}", fmt::join(shape, ",")),
                    in.string(),
                    out.string()};
  spec.deadline = std::chrono::minutes(4);
  ASSAY_TRY(const ProcessOutcome outcome, run_process(spec));
  if (outcome.exit_code != 0)
    return fail(ErrorKind::failed_verdict,
                fmt::format("ONNX Runtime, {}: {}", model.string(), outcome.errors));
  ASSAY_TRY(const auto written, read_bytes(out));
  std::vector<float> outputs(written.size() / sizeof(float));
  std::memcpy(outputs.data(), written.data(), outputs.size() * sizeof(float));
  return outputs;
}

}  // namespace assay::test
