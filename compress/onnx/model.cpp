#include "compress/onnx/model.hpp"

#include "compress/onnx/element_type.hpp"

namespace assay::onnx {
namespace {

/// The attribute of that name and type, or the fallback.
template <class T>
T attribute_or(const Node& node, const std::string& key, T fallback) {
  const auto found = node.attributes.find(key);
  if (found == node.attributes.end()) return fallback;
  const T* value = std::get_if<T>(&found->second);
  return value ? *value : fallback;
}

}  // namespace

std::size_t size_of(ElementType type) {
  return kind_of(type).bytes;
}

std::string_view to_string(ElementType type) {
  return kind_of(type).name;
}

std::int64_t Tensor::element_count() const {
  std::int64_t count = 1;
  for (std::int64_t extent : shape)
    count *= extent;
  return count;
}

std::int64_t Node::integer(const std::string& key, std::int64_t fallback) const {
  return attribute_or(*this, key, fallback);
}

float Node::real(const std::string& key, float fallback) const {
  return attribute_or(*this, key, fallback);
}

std::string Node::text(const std::string& key, const std::string& fallback) const {
  return attribute_or(*this, key, fallback);
}

std::vector<std::int64_t> Node::integers(const std::string& key,
                                         std::vector<std::int64_t> fallback) const {
  return attribute_or(*this, key, std::move(fallback));
}

const Tensor* Model::initializer(const std::string& name) const {
  const auto found = initializers.find(name);
  return found == initializers.end() ? nullptr : &found->second;
}

}  // namespace assay::onnx
