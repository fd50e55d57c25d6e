#include "compress/train/stages.hpp"

#include <ATen/Context.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include "compress/data/dataset.hpp"
#include "compress/train/torch_runtime.hpp"
#include "harness/core/file.hpp"

namespace assay {
namespace {

Json log_of(const StageDescription& stage, const StageTime& spent) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  constexpr std::int64_t kilobyte = 1024;  // the unit of ru_maxrss on Linux
  Json log = {{"kind", kind_of(stage)},
              {"seconds", spent.seconds},
              {"cpu_seconds", spent.cpu_seconds},
              {"peak_rss_bytes", usage.ru_maxrss * kilobyte}};
  return log;
}

Status check_device(const std::string& device) {
  if (device == "cpu" || at::hasCUDA()) return {};
  return fail(ErrorKind::bad_input,
              fmt::format("the stage asks for the device {}, which Torch does not find on this "
                          "machine; give \"device\": \"cpu\"",
                          device));
}

/// What the user edits during a run must not become a result under the key of the old data.
Status check_data(const StageDescription& stage) {
  if (stage.fingerprint.empty()) return {};
  return check_unchanged(stage.data, stage.fingerprint);
}

}  // namespace

Status write_json(const std::filesystem::path& path, const Json& value) {
  return write_atomically(path, value.dump(2) + "\n");
}

Status run_stage(const StageDescription& stage, const StageContext& context) {
  set_torch_threads(stage.threads);
  ASSAY_CHECK(check_device(stage.device));
  ASSAY_CHECK(check_data(stage));
  try {
    ASSAY_CHECK(
        std::visit([&](const auto& work) { return run_work(stage, work, context); }, stage.work));
  } catch (const c10::Error& error) {
    return fail(ErrorKind::infrastructure,
                fmt::format("the {} stage failed inside Torch: {}", kind_of(stage),
                            error.what_without_backtrace()));
  }
  ASSAY_CHECK(check_data(stage));
  return write_json(context.out / "log.json", log_of(stage, context.clock.spent()));
}

}  // namespace assay
