// A desk with virtual boards, and firmware of small networks to measure on it.
#pragma once

#include <filesystem>
#include <string>

#include "boards/station/desk.hpp"
#include "boards/virtual/client.hpp"
#include "targets/build/firmware.hpp"
#include "targets/graph/integer_graph.hpp"

namespace assay::test {

/// A board of `type` (a type or part) on the desk, with that name.
Board virtual_board(const std::string& name, const std::string& type);

/// Firmware of a network for a type of board, which must build; the ELF lands in `folder`.
FirmwareImage build_for(const IntegerGraph& graph, const BoardType& type,
                        const std::filesystem::path& folder, const KernelChoice& choice = {});

/// A request for `samples` seeded inputs with the logits of the reference run.
MeasureRequest request_for(const IntegerGraph& graph, const FirmwareImage& image, int samples);

}  // namespace assay::test
