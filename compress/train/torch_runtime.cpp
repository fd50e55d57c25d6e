#include "compress/train/torch_runtime.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <torch/version.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace assay {
namespace {

bool is_set(const std::string& name, const std::string& value) {
  const char* current = std::getenv(name.c_str());
  return current && current == value;
}

}  // namespace

Status pin_cpu_level(CpuLevel level, char** argv) {
  if (level > best_cpu_level())
    return fail(ErrorKind::bad_input,
                fmt::format("the stage asks for {} instructions; this machine has {}",
                            to_string(level), to_string(best_cpu_level())));
  bool pinned = true;
  for (const auto& [name, value] : cpu_environment(level)) {
    if (is_set(name, value)) continue;
    pinned = false;
    ::setenv(name.c_str(), value.c_str(), 1);
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
  const char* level = std::getenv("ATEN_CPU_CAPABILITY");  // as pin_cpu_level left it
  return {{"torch", TORCH_VERSION},
          {"cpu_capability", level ? Json(level) : Json()},
          {"threads", at::get_num_threads()}};
}

}  // namespace assay
