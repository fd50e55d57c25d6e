#include "harness/run/measurement.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "compress/data/dataset.hpp"
#include "harness/core/clock.hpp"
#include "harness/core/cycle_claim.hpp"
#include "harness/core/file.hpp"
#include "harness/core/median.hpp"
#include "harness/plan/stage.hpp"
#include "harness/run/host_evaluation.hpp"
#include "harness/run/model_metrics.hpp"
#include "harness/run/notices.hpp"

namespace assay {
namespace {

Metric counted(double value, const char* unit) {
  return {value, unit, Provenance::counted, {}};
}

template <class Values>
Metric median_of(const Values& values, const char* unit, Provenance provenance) {
  Metric metric{0, unit, provenance, {}};
  for (const auto& value : values)
    metric.samples.push_back(static_cast<double>(value.count()));
  metric.value = median(metric.samples);
  return metric;
}

Metric scaled(const Metric& metric, double factor, const char* unit, Provenance provenance) {
  Metric result{metric.value * factor, unit, provenance, metric.samples};
  for (double& sample : result.samples)
    sample *= factor;
  return result;
}

/// Cycles, latency and energy of a quiet window.
void add_timing_metrics(const BoardMeasurement& found, const Board& board, const CycleClaim& claim,
                        Metrics& metrics) {
  const auto provenance = board.virtual_board ? Provenance::modelled : Provenance::measured;
  if (found.instructions)
    metrics["instructions"] = median_of(*found.instructions, "", Provenance::counted);
  if (!found.timing.cycles) return;
  const Metric raw = median_of(*found.timing.cycles, "", provenance);
  const Metric cycles = board.virtual_board ? scaled(raw, claim.factor, "", provenance) : raw;
  const double megahertz = static_cast<double>(found.hello.core_clock.count()) / 1e6;
  metrics["cycles"] = cycles;
  metrics["latency_us"] = scaled(cycles, 1 / megahertz, "us", provenance);
  if (const auto& current = board.type.part.run_current) {
    // E = V * I * t: volts x (microamperes per MHz x MHz) x microseconds = picojoules x 1e-6.
    const double volts = board.type.supply.count() / 1e3;
    const double microwatts = volts * current->value.count() * megahertz;
    metrics["energy_uj"] =
        scaled(metrics["latency_us"], microwatts * 1e-6, "uJ", Provenance::modelled);
  }
}

void add_ram_metrics(const BoardMeasurement& found, const Board& board, Metrics& metrics) {
  // Under an emulator the process, and so the figure, is the emulator's.
  if (found.timing.peak_resident && !board.virtual_board)
    metrics["rss_peak_bytes"] = {
        static_cast<double>(found.timing.peak_resident->count()), "B", Provenance::measured, {}};
  if (!found.timing.stack_high_water) return;
  metrics["ram_stack_bytes"] =
      counted(static_cast<double>(found.timing.stack_high_water->count()), "B");
  const double model = metrics.at("ram_arena_bytes").value + metrics.at("ram_stack_bytes").value;
  metrics["ram_model_bytes"] = counted(model, "B");
  metrics["ram_bytes"] = counted(model + metrics.at("ram_static_bytes").value, "B");
}

Json board_environment(const Board& board, const BoardMeasurement& found, const CycleClaim& claim) {
  const auto& part = board.type.part;
  Json json{{"supply_mv", board.type.supply.count()},
            {"unique_id", fmt::format("{:02x}", fmt::join(found.hello.unique_id, ""))},
            {"flash_ms", found.flash_time.count()},
            {"boot_ms", found.boot_time.count()},
            {"retransmissions", found.link.retransmissions}};
  if (part.caches)
    json["caches_on"] = {{"instruction_bytes", part.caches->instruction.count()},
                         {"data_bytes", part.caches->data.count()}};
  if (board.type.supply_mode) json["supply_mode"] = to_string(*board.type.supply_mode);
  if (part.run_current)
    json["run_current"] = {{"ua_per_mhz", part.run_current->value.count()},
                           {"source", part.run_current->source}};
  if (part.runs_linux()) {
    if (board.virtual_board) json["emulator"] = found.emulator;
    if (const auto& computer = found.computer)
      json["computer"] = {
          {"machine", computer->machine}, {"model", computer->model}, {"serial", computer->serial}};
    return json;
  }
  json["core_clock_hz"] = found.hello.core_clock.count();
  if (board.virtual_board) {
    json["cycle_model"] = to_json(claim);
    // The core that executed it: where the engine lacks the part's own, one with its instructions.
    json["executed_as"] = part.core.engine_model;
  }
  return json;
}

/// Wrong logits, or figures that miss the goal of the build.
Status judge(const BoardMeasurement& found, Record& record) {
  if (found.identical_samples == found.samples) {
    ASSAY_TRY(const auto goal, parse_goal(record.build.at("goal")));
    record.verdict_detail = missed_goal(goal, goal_figures(record.metrics));
    if (!record.verdict_detail.empty()) record.verdict = Verdict::fail;
    return {};
  }
  record.verdict = Verdict::fail;
  const auto& first = found.first_mismatch;
  record.verdict_detail = fmt::format(
      "{} of {} samples have wrong logits; first: sample {}, logit {}: {} instead of {}",
      found.samples - found.identical_samples, found.samples, first ? first->sample : 0,
      first ? first->logit : 0, first ? first->found : 0, first ? first->expected : 0);
  return {};
}

Result<MeasureRequest> make_request(const MeasurementOrder& order, const FirmwareFacts& facts) {
  MeasureRequest request;
  request.elf = order.artifacts.firmware / "firmware.elf";
  request.build_id = facts.build_id;
  request.model_hash = facts.model_hash;
  request.clock = Hertz(facts.build.at("clock_hz"));
  ASSAY_TRY(const auto test, load_split(order.data, Split::test));
  ASSAY_CHECK(check_unchanged(order.data, order.fingerprint));
  ASSAY_TRY(request.inputs, model_inputs(order.artifacts.model, test, order.samples));
  ASSAY_TRY(const auto evaluation, read_json_file(order.artifacts.evaluate / "evaluation.json"));
  ASSAY_TRY(const auto logits, read_bytes(order.artifacts.evaluate / "logits.bin"));
  const auto wanted = static_cast<std::size_t>(std::min(order.samples, test.count)) *
                      evaluation.at("logit_bytes").get<std::size_t>();
  const auto* first = reinterpret_cast<const std::int8_t*>(logits.data());
  if (logits.size() < wanted)
    return fail(ErrorKind::infrastructure,
                fmt::format("{} is too short; remove it with assay cache prune",
                            (order.artifacts.evaluate / "logits.bin").string()));
  request.expected_logits.assign(first, first + wanted);
  return request;
}

/// What is known of a model without a board.
Result<Record> computed_record(const MeasurementOrder& order) {
  Record record = order.identity;
  record.environment = {{"host", host_environment()}, {"data", order.data}};
  ASSAY_TRY(record.metrics, model_metrics(order.artifacts, order.reference_bytes));
  ASSAY_TRY(const auto notices, notices_of(order.artifacts));
  if (!notices.empty()) record.environment["notices"] = notices;
  return record;
}

}  // namespace

Json host_environment() {
  utsname name{};
  ::uname(&name);
  return {{"system", fmt::format("{} {}", name.sysname, name.release)},
          {"machine", name.machine},
          {"assay", ASSAY_VERSION},
          {"assay_sources", sources_version()},
          {"arithmetic", ASSAY_ARITHMETIC_VERSION},
          {"training", training_environment()}};
}

Result<Record> measure_cell(const MeasurementOrder& order, Desk& desk, const Board& board,
                            std::stop_token stop) {
  ASSAY_TRY(Record record, computed_record(order));
  record.board = board.name;
  record.board_type = board.type.name;
  record.part = board.type.part.name;
  record.virtual_board = board.virtual_board;
  ASSAY_TRY(const auto facts, read_firmware_facts(order.artifacts.firmware));
  record.build = facts.build;
  for (const auto& [name, metric] : facts.metrics)
    record.metrics[name] = metric;
  if (facts.fits) {
    ASSAY_TRY(const auto request, make_request(order, facts));
    ASSAY_TRY(const auto found, desk.measure(board, request, stop));
    record.metrics["samples_confirmed"] = counted(static_cast<double>(found.identical_samples), "");
    add_ram_metrics(found, board, record.metrics);
    const CycleClaim claim =
        cycle_claim(board.type.part, found.hello.core_clock, Extent::network, order.calibration);
    add_timing_metrics(found, board, claim, record.metrics);
    record.environment["board"] = board_environment(board, found, claim);
    ASSAY_CHECK(judge(found, record));
  } else {
    record.verdict = Verdict::fail;
    record.verdict_detail = facts.does_not_fit;
  }
  record.recorded_at = utc_timestamp();
  return record;
}

Result<Record> record_on_host(const MeasurementOrder& order) {
  ASSAY_TRY(Record record, computed_record(order));
  record.board = record.board_type = record.part = host_target;
  record.recorded_at = utc_timestamp();
  return record;
}

}  // namespace assay
