#include "compress/train/torch_runtime.hpp"

#include <ATen/Parallel.h>
#include <torch/version.h>

namespace assay {

void set_torch_threads(int threads) {
  at::set_num_threads(threads);
  at::set_num_interop_threads(1);
}

Json torch_environment() {
  return {{"torch", TORCH_VERSION},

          {"threads", at::get_num_threads()}};
}

}  // namespace assay
