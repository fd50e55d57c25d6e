#include "compress/train/torch_runtime.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/version.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace assay {
namespace {

using Setting = std::pair<const char*, const char*>;

std::array<Setting, 3> settings_for(CpuLevel level) {
  const auto pick = [level](std::array<const char*, 3> values) {
    return values[std::size_t(level)];
  };
  return {{{"ATEN_CPU_CAPABILITY", pick({"default", "avx2", "avx512"})},
           {"ONEDNN_MAX_CPU_ISA", pick({"SSE41", "AVX2", "AVX512_CORE"})},
           {"OPENBLAS_CORETYPE", pick({"Nehalem", "Haswell", "SkylakeX"})}}};
}

bool is_set(const Setting& setting) {
  const char* current = std::getenv(setting.first);
  return current && std::strcmp(current, setting.second) == 0;
}

}  // namespace

Status pin_cpu_level(CpuLevel level, char** argv) {
  if (level > best_cpu_level())
    return fail(ErrorKind::bad_input,
                fmt::format("the stage asks for {} instructions; this machine has {}",
                            to_string(level), to_string(best_cpu_level())));
  bool pinned = true;
  for (const Setting& setting : settings_for(level)) {
    if (is_set(setting)) continue;
    pinned = false;
    ::setenv(setting.first, setting.second, 1);
  }
  if (pinned) return {};
  ::execv("/proc/self/exe", argv);
  return fail(ErrorKind::infrastructure,
              fmt::format("cannot start /proc/self/exe anew: {}", std::strerror(errno)));
}

void set_torch_threads(int threads) {
  at::set_num_threads(threads);
  at::set_num_interop_threads(1);
}

Json torch_environment() {
  return {{"torch", TORCH_VERSION},

          {"threads", at::get_num_threads()}};
}

}  // namespace assay
