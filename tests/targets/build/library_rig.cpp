#include "tests/targets/build/library_rig.hpp"

#include <regex>

#include "harness/core/hash.hpp"
#include "harness/core/process.hpp"

namespace assay::test {

std::vector<std::int8_t> example_input(std::int64_t size) {
  std::vector<std::int8_t> input;
  for (std::int64_t i = 0; i < size; ++i)
    input.push_back(static_cast<std::int8_t>(i * 7 % 256));
  return input;
}

void Library::write_for(const Core* core, const IntegerGraph& graph) {
  auto model = generate(graph, core, sha256_hex("small network"));
  ASSERT_TRUE(model) << model.error().message;
  LibraryOrder order;
  order.model = std::move(*model);
  order.graph = &graph;
  order.core = core;
  write(std::move(order));
}

void Library::write_for(const Part* part, const IntegerGraph& graph, GeneratedModel model) {
  LibraryOrder order;
  order.model = std::move(model);
  order.graph = &graph;
  order.core = part ? &part->core : nullptr;
  order.part = part;
  write(std::move(order));
}

void Library::write(LibraryOrder order) {
  order.name = "small.onnx";
  const auto files = library_files(order);
  ASSERT_TRUE(files) << files.error().message;
  const auto written = write_library(*files, folder_);
  ASSERT_TRUE(written) << written.error().message;
}

std::string Library::shell(const std::string& command) const {
  ProcessSpec spec;
  spec.arguments = {"sh", "-c", command};
  spec.working_directory = folder_;
  const auto outcome = run_process(spec);
  EXPECT_TRUE(outcome && outcome->exit_code == 0) << command << "\n" << outcome->errors;
  EXPECT_EQ(outcome ? outcome->errors : "", "");
  return outcome ? outcome->output : "";
}

std::string Library::compile_command(const std::string& more) const {
  const std::string text = readme();
  std::smatch found;
  EXPECT_TRUE(std::regex_search(text, found, std::regex("\n  (\\S*g\\+\\+(.|\n)*?model\\.cpp)\n")));
  return found[1].str() + more;
}

}  // namespace assay::test
