#include "tests/boards/station/form_agreement.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "boards/link/pipe_link.hpp"
#include "harness/core/file.hpp"
#include "targets/build/host_target.hpp"
#include "tests/boards/station/desk_rig.hpp"
#include "tests/boards/station/qemu_opinion.hpp"
#include "tests/targets/build/form_network.hpp"
#include "tests/targets/graph/float_form.hpp"

namespace assay::test {
namespace {

namespace fs = std::filesystem;
using Logits = std::vector<std::int8_t>;
using Kind = AgreementTarget::Kind;

const std::string model_hash(64, '7');  // of no ONNX file
const char* const part_of_qemu = "stm32f405";

/// One network on its way to one target.
struct Comparison {
  IntegerGraph graph;
  WeightForm form;
  MeasureRequest samples;  ///< inputs and what they must be answered with
  fs::path folder;

  Result<GeneratedModel> generate_for(const Core& core) const {
    return generate(graph, &core, model_hash, kernels_of_form(graph, core, form));
  }
};

Result<Logits> logits_of_host(const Comparison& one) {
  ASSAY_TRY(const auto model, generate(one.graph, nullptr, model_hash));
  ASSAY_TRY(const auto program, build_host_program(model, one.folder));
  ProcessSpec spec;
  spec.arguments = {program.executable.string()};
  ASSAY_TRY(const auto link, PipeLink::start(spec, "host"));
  ASSAY_TRY(Session session, Session::open(*link, std::chrono::seconds(10)));
  Logits logits;
  ASSAY_CHECK(session.stream(one.samples.inputs, [&](std::size_t, std::span<const std::int8_t> l) {
    logits.insert(logits.end(), l.begin(), l.end());
  }));
  return logits;
}

Result<Logits> logits_of_qemu(const Comparison& one, const Board& board) {
  ASSAY_TRY(const auto model, one.generate_for(board.type.part.core));
  std::string machine = "netduinoplus2";
  fs::path elf;
  if (board.type.part.name == part_of_qemu) {
    const KernelChoice choice = kernels_of_form(one.graph, board.type.part.core, one.form);
    elf = build_for(one.graph, board.type, one.folder, choice).elf;
  } else {
    const auto& all = qemu_stand_ins();
    const auto stand_in = std::ranges::find(all, board.type.part.name, &QemuStandIn::part);
    machine = stand_in->machine;
    ASSAY_TRY(elf, build_for_stand_in(*stand_in, model, one.folder));
  }
  ASSAY_TRY(auto opinion, qemu_opinion(machine, elf, one.samples.inputs, 1, one.folder));
  return std::move(opinion.logits);
}

/// Samples whose logits are the expected ones.
std::size_t count_identical(const Logits& logits, const MeasureRequest& wanted,
                            std::size_t samples) {
  const std::size_t size = wanted.expected_logits.size() / samples;
  std::size_t identical = 0;
  for (std::size_t i = 0; (i + 1) * size <= logits.size(); ++i) {
    const auto at = static_cast<std::ptrdiff_t>(i * size);
    identical +=
        std::equal(logits.begin() + at, logits.begin() + at + static_cast<std::ptrdiff_t>(size),
                   wanted.expected_logits.begin() + at);
  }
  return identical;
}

Result<std::size_t> identical_on_board(Comparison& one, const Board& board) {
  const KernelChoice choice = kernels_of_form(one.graph, board.type.part.core, one.form);
  const FirmwareImage image = build_for(one.graph, board.type, one.folder, choice);
  one.samples.elf = image.elf;
  one.samples.build_id = image.build_id;
  one.samples.clock = image.clock;
  one.samples.model_hash = model_hash;
  ASSAY_TRY(Desk desk, Desk::open({board}, one.folder / "locks"));
  ASSAY_TRY(const auto found, desk.measure(board, one.samples, {}));
  return found.identical_samples;
}

}  // namespace

std::string AgreementTarget::name() const {
  if (kind == Kind::host) return "host";
  return kind == Kind::qemu ? "qemu " + part : part;
}

std::vector<AgreementTarget> agreement_targets() {
  std::vector<AgreementTarget> targets{{Kind::host, ""}};
  for (const std::string& part : known_parts())
    targets.push_back({Kind::board, part});
  targets.push_back({Kind::qemu, part_of_qemu});
  for (const QemuStandIn& stand_in : qemu_stand_ins())
    targets.push_back({Kind::qemu, stand_in.part});
  return targets;
}

const std::vector<AgreementForm>& agreement_forms() {
  static const std::vector<AgreementForm> forms = [] {
    std::vector<AgreementForm> all;
    for (const WeightForm form : weight_forms)
      all.push_back({std::string(to_string(form)), form_network(form), form});
    const IntegerGraph plain = form_network(WeightForm::int8);
    all.push_back({"int16", in_int16(plain)});
    all.push_back({"float32", in_float(plain, FloatForm::float32)});
    all.push_back({"float16", in_float(plain, FloatForm::float16)});
    all.push_back({"dynamic", in_float(plain, FloatForm::dynamic)});
    return all;
  }();
  return forms;
}

std::string FormAgreement::text() const {
  return fmt::format("{}/{}, {} of form", identical, samples, layers);
}

Result<FormAgreement> compare_form(const AgreementForm& form, const AgreementTarget& target,
                                   std::size_t samples, const fs::path& folder) {
  Comparison one{form.network, form.weights, {}, folder};
  fs::create_directories(folder);
  one.samples = request_for(one.graph, {}, static_cast<int>(samples));
  FormAgreement agreement;
  agreement.samples = samples;
  if (target.kind == Kind::host) {
    ASSAY_TRY(const Logits logits, logits_of_host(one));
    agreement.identical = count_identical(logits, one.samples, samples);
    return agreement;
  }
  const Board board = virtual_board("b", target.part);
  const auto choice = kernels_of_form(one.graph, board.type.part.core, form.weights);
  agreement.layers = static_cast<std::size_t>(std::ranges::count(
      choice.layers, form.weights, [](const KernelRow* row) { return row->form; }));
  if (target.kind == Kind::board) {
    ASSAY_TRY(agreement.identical, identical_on_board(one, board));
  } else {
    ASSAY_TRY(const Logits logits, logits_of_qemu(one, board));
    agreement.identical = count_identical(logits, one.samples, samples);
  }
  return agreement;
}

}  // namespace assay::test
