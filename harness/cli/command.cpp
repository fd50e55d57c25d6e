#include "harness/cli/command.hpp"

#include <array>

namespace assay::cli {
namespace {

constexpr std::array commands{
    Command{"run",
            "Do everything a matrix asks for: train, compress, build, flash, measure, report",
            "assay run harness/matrices/demo.json", declare_run},
    Command{"plan", "Say what a run would do: cells, stages, what is cached, time, what fits",
            "assay plan harness/matrices/demo.json", declare_plan},
    Command{"measure", "Put an ONNX model on a board and measure it; no training",
            "assay measure model.onnx --on virtual:stm32f405", declare_measure},
    Command{"export", "Write a model as a C++ library for your own firmware",
            "assay export model.onnx --part stm32f405 -o model-library", declare_export},
    Command{"boards", "List the boards of the inventory, and the known board types",
            "assay boards --types", declare_boards},
    Command{"results", "List, export and merge stored results",
            "assay results --matrix demo --json", declare_results},
    Command{"report", "Write the report of a matrix: HTML, Markdown, CSV, LaTeX, JSON",
            "assay report demo --out report", declare_report},
    Command{"bench", "Count instructions and cycles per MAC of every kernel",
            "assay bench kernels --on virtual:stm32f405", declare_bench},
    Command{"calibrate", "Fit the modelled cycles of a part to measurements on a real board",
            "assay calibrate f405-desk/cut4_s1 measured.json", declare_calibrate},
    Command{"cache", "Show and prune the stage cache", "assay cache prune --unused-days 30",
            declare_cache},
    Command{"data", "List, fetch and verify data sets", "assay data fetch cifar10", declare_data},
    Command{"doctor", "Check what is installed, attached and missing", "assay doctor",
            declare_doctor},
};

}  // namespace

std::span<const Command> command_table() {
  return commands;
}

}  // namespace assay::cli
