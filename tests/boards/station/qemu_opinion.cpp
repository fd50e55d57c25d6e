#include "tests/boards/station/qemu_opinion.hpp"

#include <fmt/format.h>

#include "boards/link/pipe_link.hpp"
#include "boards/link/session.hpp"
#include "harness/core/file.hpp"
#include "harness/core/paths.hpp"
#include "tests/support/qemu.hpp"
#include "tests/targets/build/device_program.hpp"

namespace assay::test {

Result<QemuOpinion> qemu_opinion(const std::string& machine, const std::filesystem::path& elf,
                                 std::span<const std::int8_t> inputs, std::size_t inferences,
                                 const std::filesystem::path& folder) {
  const auto counts = folder / "counts.jsonl";
  QemuOpinion opinion;
  {
    QemuSpec spec;
    spec.machine = machine;
    spec.elf = elf;
    ProcessSpec process;
    process.arguments = qemu_command(spec, counts);
    ASSAY_TRY(const auto link, PipeLink::start(process, machine));
    ASSAY_TRY(Session session, Session::open(*link, std::chrono::seconds(20)));
    ASSAY_CHECK(session.stream(inputs, [&](std::size_t, std::span<const std::int8_t> logits) {
      opinion.logits.insert(opinion.logits.end(), logits.begin(), logits.end());
    }));
    ASSAY_TRY([[maybe_unused]] const auto timing,
              session.measure(inputs.first(session.hello().input_bytes()), inferences));
  }
  ASSAY_TRY(const auto windows, read_windows(counts));
  for (const InstructionWindow& window : windows)
    opinion.instructions.push_back(window.total);
  return opinion;
}

const std::vector<QemuStandIn>& qemu_stand_ins() {
  static const std::vector<QemuStandIn> all = {{"stm32f030cc", "microbit", microbit_part},
                                               {"stm32g0b1", "microbit", microbit_part},
                                               {"stm32f746", "mps2-an500", an500_part},
                                               {"stm32u575", "mps2-an505", an505_part}};
  return all;
}

Result<std::filesystem::path> build_for_stand_in(const QemuStandIn& stand_in,
                                                 const GeneratedModel& model,
                                                 const std::filesystem::path& folder) {
  const auto source = folder / "model.cpp", root = source_root();
  ASSAY_CHECK(write_atomically(source, model.source));
  Part machine = stand_in.machine_part();
  ASSAY_TRY(const Part part, load_part(stand_in.part));
  machine.core = part.core;
  return build_device_program(
      {machine,
       {source, root / "targets" / "wire" / "firmware_main.cpp",
        root / "tests" / "targets" / "build" / "device" / (machine.name + "_board.cpp")},
       {fmt::format("-DASSAY_INPUT_SIZE={}", model.input_bytes.count()),
        fmt::format("-DASSAY_PART_NAME=\"{}\"", machine.name)},
       folder});
}

}  // namespace assay::test
