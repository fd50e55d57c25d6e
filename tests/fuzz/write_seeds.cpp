// write_seeds FOLDER: the networks that fuzzing starts from.
#include <fmt/format.h>

#include "tests/targets/graph/random_networks.hpp"

int main(int argc, char** argv) {
  using namespace assay;
  if (argc != 2) return 2;
  for (unsigned seed = 0; seed < 8; ++seed)
    for (bool branches : {false, true}) {
      const auto model = branches ? test::random_branches(seed) : test::random_network(seed);
      const auto path = fmt::format("{}/{}{}.onnx", argv[1], branches ? "branches" : "chain", seed);
      if (const auto written = onnx::write_model(model, path); !written) {
        fmt::print(stderr, "{}\n", written.error().message);
        return 1;
      }
    }
  return 0;
}
