// Exported libraries in a folder of their own, and a shell to compile them there.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "harness/core/file.hpp"
#include "targets/build/library.hpp"
#include "tests/targets/build/test_network.hpp"

namespace assay::test {

/// What the exported example puts in.
std::vector<std::int8_t> example_input(std::int64_t size);

inline constexpr const char* warnings = " -Wall -Wextra -Wpedantic -Werror";

class Library : public ::testing::Test {
 protected:
  void write_for(const Core* core) { write_for(core, graph_); }
  void write_for(const Core* core, const IntegerGraph& graph);
  /// The library of what was generated for the part.
  void write_for(const Part* part, const IntegerGraph& graph, GeneratedModel model);

  /// Standard output of `command`, run by a shell in the exported folder; it must succeed and say
  /// nothing else.
  std::string shell(const std::string& command) const;

  /// What a README.txt of the library says.
  std::string readme() const { return read_text(folder_ / "README.txt").value(); }
  /// The lines of README.txt that compile, with more flags.
  std::string compile_command(const std::string& more) const;

  const IntegerGraph graph_ = small_network();
  ScratchDirectory scratch_ = *ScratchDirectory::create(::testing::TempDir(), "library");
  std::filesystem::path folder_ = scratch_.path() / "exports" / "small";

 private:
  void write(LibraryOrder order);
};

}  // namespace assay::test
