#include "tests/targets/pack/compiled_model.hpp"

#include <dlfcn.h>

#include <algorithm>

#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "harness/core/process.hpp"

namespace assay::test {
namespace {

/// Finds a symbol of namespace assay::model by its mangled name (Itanium C++ ABI, 5.1.2).
template <class T>
T* find(void* library, const char* name) {
  return reinterpret_cast<T*>(dlsym(library, name));
}

}  // namespace

Result<CompiledModel> CompiledModel::compile(const std::string& source,
                                             const std::filesystem::path& directory,
                                             const std::string& name) {
  const std::filesystem::path code = directory / (name + ".cpp");
  const std::filesystem::path object = directory / (name + ".so");
  ASSAY_CHECK(write_atomically(code, source));
  ProcessSpec compiler;
  compiler.arguments = {
      "g++",        "-std=c++17", "-O1",   "-ffp-contract=off",           "-Wall", "-Wextra",
      "-Werror",    "-shared",    "-fPIC", "-I" + source_root().string(), "-o",    object.string(),
      code.string()};
  ASSAY_TRY(const ProcessOutcome outcome, run_process(compiler));
  if (outcome.exit_code != 0) return fail(ErrorKind::infrastructure, outcome.errors);
  CompiledModel model;
  model.library_.reset(dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL), [](void* library) {
    if (library) dlclose(library);
  });
  if (!model.library_) return fail(ErrorKind::infrastructure, dlerror());
  void* library = model.library_.get();
  model.run_ = find<void()>(library, "_ZN5assay5model3runEv");
  model.input_ = find<std::int8_t*()>(library, "_ZN5assay5model5inputEv");
  model.output_ = find<const std::int8_t*()>(library, "_ZN5assay5model6outputEv");
  model.hash_ = find<const std::uint8_t>(library, "_ZN5assay5model10model_hashE");
  const auto* in = find<const std::size_t>(library, "_ZN5assay5model10input_sizeE");
  const auto* out = find<const std::size_t>(library, "_ZN5assay5model11output_sizeE");
  const auto* in_element = find<const std::uint8_t>(library, "_ZN5assay5model13input_elementE");
  const auto* out_element = find<const std::uint8_t>(library, "_ZN5assay5model14output_elementE");
  if (!model.run_ || !model.input_ || !model.output_ || !model.hash_ || !in || !out ||
      !in_element || !out_element)
    return fail(ErrorKind::infrastructure, "generated code lacks a part of model.hpp");
  model.input_bytes_ = *in * *in_element;
  model.output_bytes_ = *out * *out_element;
  return model;
}

std::vector<std::int8_t> CompiledModel::run(std::span<const std::int8_t> input) const {
  std::copy(input.begin(), input.end(), input_());
  run_();
  return {output_(), output_() + output_bytes_};
}

std::vector<std::uint8_t> CompiledModel::model_hash() const {
  return {hash_, hash_ + 32};
}

}  // namespace assay::test
