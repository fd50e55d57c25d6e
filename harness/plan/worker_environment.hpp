// The environment variables a training worker is started with: they pin what changes its bits.
#pragma once

#include <map>
#include <string>

namespace assay {

/// One thread, and the instruction set of Torch, OpenBLAS and oneDNN pinned to AVX2 where the
/// processor has it, so that two machines of a lab compute the same network.
inline std::map<std::string, std::string> worker_environment() {
#if defined(__x86_64__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return {{"ATEN_CPU_CAPABILITY", avx2 ? "avx2" : "default"},
          {"OPENBLAS_CORETYPE", avx2 ? "Haswell" : "Nehalem"},
          {"ONEDNN_MAX_CPU_ISA", avx2 ? "AVX2" : "SSE41"},
          {"OMP_NUM_THREADS", "1"}};
#else
  return {{"ATEN_CPU_CAPABILITY", "default"}, {"OMP_NUM_THREADS", "1"}};
#endif
}

}  // namespace assay
