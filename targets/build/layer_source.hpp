// The C++ text of one layer in generated code: a struct of its facts and constants, as
// targets/runtime/layer.hpp says. Pure; thread-safe.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "targets/pack/deployment.hpp"

namespace assay {

/// Text under way.
using SourceText = fmt::memory_buffer;

template <class... Arguments>
void put(SourceText& text, fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Arguments>(arguments)...);
}

/// A foreign name made safe for a // comment: no line breaks, no backslash before one.
std::string comment_text(std::string_view name);

/// "16x16x8": height, width, channels.
std::string shape_text(const ActivationTensor& tensor);

/// The device's type of an element: "std::int8_t".
std::string_view type_text(Element element);

/// Writes `struct <name>` with a comment that says which layer it is.
void put_layer(SourceText& text, std::string_view name, const LayerView& layer,
               const DeployedLayer& deployed);

/// An address in generated code.
struct ArenaPlace {
  std::int64_t offset = 0;      ///< bytes
  std::string array = "arena";  ///< that it counts from
  std::int64_t per_strip = 0;   ///< bytes from one strip to the next
};

/// "arena + 128", in a loop over strips "arena + 128 + strip * 96"
std::string place_text(const ArenaPlace& place);
/// The same as a pointer to elements.
std::string place_text(const ArenaPlace& place, Element element);

/// What a layer reads and writes.
struct LayerPlace {
  std::vector<ArenaPlace> inputs;
  ArenaPlace output;
  ArenaPlace scratch;
};

/// Writes the call of the layer's kernel for the struct <name>.
void put_call(SourceText& text, std::string_view name, const IntegerLayer& layer,
              const DeployedLayer& deployed, const LayerPlace& place);

/// Writes the definition of model_hash. `sha256` is 64 lower-case hex digits.
void put_hash(SourceText& text, std::string_view sha256);
/// Errors: bad_input for a text that is no SHA-256.
Status check_sha256(std::string_view text);

}  // namespace assay
