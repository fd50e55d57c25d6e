// Runs kernels on an emulated core: single-layer networks become one bare-metal program, which runs
// each kernel on several inputs between guard bytes, prints the outputs, and is counted by QEMU.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/result.hpp"
#include "harness/core/units.hpp"
#include "targets/graph/integer_graph.hpp"
#include "targets/pack/kernel.hpp"

namespace assay::test {

/// The inputs every kernel is run on.
enum class InputFill { random, lowest, highest };
inline constexpr InputFill input_fills[] = {InputFill::random, InputFill::lowest,
                                            InputFill::highest};

/// A kernel and the network it is tried on.
struct KernelCase {
  std::string name;
  IntegerGraph graph;
  const KernelRow* kernel = nullptr;
  bool in_place = false;  ///< the output is written over the input
};

/// One run of a case.
struct KernelOutcome {
  std::vector<std::int8_t> output;
  bool guards_intact = false;  ///< nothing written beside output and scratch
  Instructions instructions;   ///< of the call; not counted under Linux
};

/// What is wrong with the outcomes of a case, held against the reference interpreter, in words;
/// empty when nothing is.
std::string disagreement(const KernelCase& one, const std::vector<KernelOutcome>& outcomes);

/// A core to run on: a core file and the QEMU machine that stands for it.
struct KernelCore {
  std::string name;     ///< of the core file: "cortex-m7"
  std::string machine;  ///< "mps2-an500"
  Bytes flash;
  Bytes ram;
  std::uint32_t flash_base = 0;
  std::uint32_t ram_base = 0x20000000;
};

/// The cores the kernels are tested on: M4F, M7, M0, M33, M0+.
const std::vector<KernelCore>& kernel_cores();
/// The cores that every kernel is tried on: one with each instruction set, M4F, M0 and M33; with
/// ASSAY_EVERY_CORE in the environment, as at night, all of them.
std::vector<KernelCore> tried_cores();
/// Code for the Cortex-M0 on a Cortex-M3, which executes it, for kernels that take more than the
/// RAM of the machine that QEMU has with a Cortex-M0.
const KernelCore& roomy_m0();
/// What the core file says, which must be there.
Core core_of(const KernelCore& core);

/// Bytes of RAM that a case needs between its guards.
std::uint64_t memory_needed(const KernelCase& one);

/// The values of an input tensor, the same as on the device.
std::vector<std::int8_t> input_values(InputFill fill, std::int64_t size);

/// The same as bytes, for tensors of int16 too, and of float32: numbers in [-4, 4), -3.1415927, and
/// one below the smallest normal number.
std::vector<std::int8_t> input_bytes(InputFill fill, const ActivationTensor& tensor);

/// Runs every case on every fill: outcomes[case][fill]. Errors: as build_bare_metal and run_qemu,
/// or failed_verdict when the program faults or stops early.
Result<std::vector<std::vector<KernelOutcome>>> run_on_device(const std::vector<KernelCase>& cases,
                                                              const KernelCore& core,
                                                              const std::string& optimization);

/// The same as a static program for a core that runs Linux, under QEMU's user-mode emulator.
/// Errors: infrastructure, or failed_verdict when the program does not compile, faults or stops
/// early.
Result<std::vector<std::vector<KernelOutcome>>> run_under_linux(
    const std::vector<KernelCase>& cases, const Core& core, const std::string& optimization);

}  // namespace assay::test
