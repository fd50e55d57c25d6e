// write_seeds FOLDER: the networks that fuzzing starts from.
#include <fmt/format.h>

#include <iterator>

#include "tests/targets/graph/float_form.hpp"
#include "tests/targets/graph/random_networks.hpp"

namespace {

using namespace assay;

bool write(const std::string& folder, const std::string& name, const onnx::Model& model) {
  const auto written = onnx::write_model(model, fmt::format("{}/{}.onnx", folder, name));
  if (!written) fmt::print(stderr, "{}\n", written.error().message);
  return written.has_value();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  for (unsigned seed = 0; seed < 8; ++seed)
    for (bool branches : {false, true}) {
      const auto model = branches ? test::random_branches(seed) : test::random_network(seed);
      const auto form = test::float_forms[seed % std::size(test::float_forms)];
      const std::string name = (branches ? "branches" : "chain") + std::to_string(seed);
      if (!write(argv[1], name, model)) return 1;
      if (!write(argv[1], name + "-float", test::in_float(model, form))) return 1;
    }
  return 0;
}
