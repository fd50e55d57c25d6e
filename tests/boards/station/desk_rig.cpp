#include "tests/boards/station/desk_rig.hpp"

#include <stdexcept>

#include "targets/build/ram_layout.hpp"
#include "targets/graph/reference_run.hpp"
#include "tests/targets/build/test_network.hpp"

namespace assay::test {
namespace {

const std::string model_hash(64, '7');  // these networks come from no ONNX file

}  // namespace

Board virtual_board(const std::string& name, const std::string& type) {
  Board board = implicit_virtual_board(*find_board_type(type));
  board.name = name;
  return board;
}

FirmwareImage build_for(const IntegerGraph& graph, const BoardType& type,
                        const std::filesystem::path& folder, const KernelChoice& choice) {
  FirmwareRequest request;
  auto model = generate(graph, &type.part.core, model_hash, choice,
                        ram_layout(type.part, request.stack_reserve));
  if (!model) throw std::runtime_error(model.error().message);
  request.board = type;
  request.model = std::move(*model);
  request.output_directory = folder;
  auto image = build_firmware(request);
  if (!image) throw std::runtime_error(image.error().message);
  return *image;
}

MeasureRequest request_for(const IntegerGraph& graph, const FirmwareImage& image, int samples) {
  const auto size = static_cast<std::size_t>(graph.tensors[graph.input].bytes());
  MeasureRequest request;
  request.elf = image.elf;
  request.build_id = image.build_id;
  request.model_hash = model_hash;
  request.clock = image.clock;
  request.inputs = seeded_inputs(graph, samples);
  for (std::size_t at = 0; at < request.inputs.size(); at += size) {
    const auto logits = run_reference(graph, std::span(request.inputs).subspan(at, size));
    request.expected_logits.insert(request.expected_logits.end(), logits.begin(), logits.end());
  }
  return request;
}

}  // namespace assay::test
