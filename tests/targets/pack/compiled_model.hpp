// Generated code, compiled by g++ into a shared object and loaded: what a device would compute.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "harness/core/result.hpp"

namespace assay::test {

class CompiledModel {
 public:
  /// Compiles `source` in `directory` under a name of its own. Errors: infrastructure, with the
  /// compiler's complaints.
  static Result<CompiledModel> compile(const std::string& source,
                                       const std::filesystem::path& directory,
                                       const std::string& name);
  /// Takes and returns the bytes of elements.
  std::vector<std::int8_t> run(std::span<const std::int8_t> input) const;
  std::size_t input_bytes() const { return input_bytes_; }
  std::size_t output_bytes() const { return output_bytes_; }
  std::vector<std::uint8_t> model_hash() const;

 private:
  std::shared_ptr<void> library_;
  void (*run_)() = nullptr;
  std::int8_t* (*input_)() = nullptr;
  const std::int8_t* (*output_)() = nullptr;
  const std::uint8_t* hash_ = nullptr;
  std::size_t input_bytes_ = 0;
  std::size_t output_bytes_ = 0;
};

}  // namespace assay::test
