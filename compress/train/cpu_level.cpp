#include "compress/train/cpu_level.hpp"

#include <array>

namespace assay {

std::string_view to_string(CpuLevel level) {
  return word_of(cpu_levels, level);
}

std::optional<CpuLevel> cpu_level_of(std::string_view word) {
  for (const auto& [level, known] : cpu_levels)
    if (known == word) return level;
  return std::nullopt;
}

CpuLevel best_cpu_level() {
#if defined(__x86_64__)
  // What the libraries' kernels of that level are compiled for.
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return CpuLevel::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return CpuLevel::avx2;
#endif
  return CpuLevel::baseline;
}

std::map<std::string, std::string> cpu_environment(CpuLevel level) {
  if (level > best_cpu_level()) return {};
  const auto pick = [level](std::array<const char*, 3> values) {
    return values[std::size_t(level)];
  };
  return {{"ATEN_CPU_CAPABILITY", pick({"default", "avx2", "avx512"})},
          {"ONEDNN_MAX_CPU_ISA", pick({"SSE41", "AVX2", "AVX512_CORE"})},
          {"OPENBLAS_CORETYPE", pick({"Nehalem", "Haswell", "SkylakeX"})}};
}

}  // namespace assay
