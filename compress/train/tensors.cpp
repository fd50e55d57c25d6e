#include "compress/train/tensors.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <cstring>

namespace assay {

std::vector<float> to_vector(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().to(at::kCPU).contiguous(at::MemoryFormat::Contiguous);
  const float* first = plain.data_ptr<float>();
  return {first, first + plain.numel()};
}

at::Tensor like_weight(const std::vector<float>& values, const at::Tensor& weight) {
  auto* data = const_cast<float*>(values.data());
  at::Tensor tensor = at::from_blob(data, weight.sizes(), at::TensorOptions(at::kFloat)).clone();
  if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
  return tensor.to(weight.device());
}

at::Tensor tensor_of(const Json& json) {
  const std::string text = json.dump();
  at::Tensor bytes = at::empty({std::int64_t(text.size())}, at::TensorOptions(at::kByte));
  std::memcpy(bytes.data_ptr(), text.data(), text.size());
  return bytes;
}

Json json_of(const at::Tensor& tensor) {
  const auto* first = static_cast<const char*>(tensor.data_ptr());
  return Json::parse(first, first + tensor.numel());
}

}  // namespace assay
