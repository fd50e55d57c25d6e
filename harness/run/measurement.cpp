#include "harness/run/measurement.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "compress/data/dataset.hpp"
#include "compress/onnx/entropy_size.hpp"
#include "harness/core/clock.hpp"
#include "harness/core/file.hpp"
#include "harness/core/process.hpp"
#include "harness/plan/stage.hpp"
#include "harness/run/host_evaluation.hpp"

namespace assay {
namespace {

Metric computed(double value, const char* unit) {
  return {value, unit, Provenance::computed, {}};
}

Metric counted(double value, const char* unit) {
  return {value, unit, Provenance::counted, {}};
}

template <class Values>
Metric median_of(const Values& values, const char* unit, Provenance provenance) {
  Metric metric{0, unit, provenance, {}};
  for (const auto& value : values)
    metric.samples.push_back(static_cast<double>(value.count()));
  auto sorted = metric.samples;
  std::ranges::sort(sorted);
  metric.value = sorted.at(sorted.size() / 2);
  return metric;
}

Metric scaled(const Metric& metric, double factor, const char* unit, Provenance provenance) {
  Metric result{metric.value * factor, unit, provenance, metric.samples};
  for (double& sample : result.samples)
    sample *= factor;
  return result;
}

/// Per cent correct of one split of an evaluation.json.
Metric accuracy(const Json& split) {
  return computed(100 * split.at("correct").get<double>() / split.at("count").get<double>(), "%");
}

Status add_model_metrics(const MeasurementOrder& order, Metrics& metrics) {
  const auto& artifacts = order.artifacts;
  const auto bytes = static_cast<double>(std::filesystem::file_size(artifacts.model));
  metrics["model_bytes"] = counted(bytes, "B");
  ASSAY_TRY(const auto gzip, gzip_size(artifacts.model));
  metrics["model_gzip_bytes"] = counted(static_cast<double>(gzip.count()), "B");
  ASSAY_TRY(const auto model, onnx::read_model(artifacts.model));
  metrics["model_entropy_bytes"] =
      counted(static_cast<double>(onnx::entropy_size(model).bytes()), "B");
  if (order.reference_bytes)
    metrics["compression_ratio"] = counted(*order.reference_bytes / bytes, "x");
  ASSAY_TRY(const auto evaluation, read_json_file(artifacts.evaluate / "evaluation.json"));
  metrics["accuracy_top1"] = accuracy(evaluation.at("test"));
  metrics["accuracy_top1_validation"] = accuracy(evaluation.at("validation"));
  if (!artifacts.evaluate_float.empty()) {
    ASSAY_TRY(const auto in_float, read_json_file(artifacts.evaluate_float / "evaluation.json"));
    metrics["accuracy_top1_float"] = accuracy(in_float.at("test"));
  }
  double seconds = 0;
  for (const auto& stage : artifacts.learned) {
    ASSAY_TRY(const auto log, read_json_file(stage / "log.json"));
    seconds += log.at("cpu_seconds").get<double>();
  }
  if (!artifacts.learned.empty())
    metrics["train_seconds"] = {seconds, "s", Provenance::measured, {}};
  return {};
}

/// Cycles, latency and energy of a quiet window.
void add_timing_metrics(const BoardMeasurement& found, const Board& board, Metrics& metrics) {
  const auto provenance = board.virtual_board ? Provenance::modelled : Provenance::measured;
  if (found.instructions)
    metrics["instructions"] = median_of(*found.instructions, "", Provenance::counted);
  if (!found.timing.cycles) return;
  const Metric cycles = median_of(*found.timing.cycles, "", provenance);
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

void add_ram_metrics(const BoardMeasurement& found, Metrics& metrics) {
  if (!found.timing.stack_high_water) return;
  metrics["ram_stack_bytes"] =
      counted(static_cast<double>(found.timing.stack_high_water->count()), "B");
  double total = 0;
  for (const char* name : {"ram_arena_bytes", "ram_static_bytes", "ram_stack_bytes"})
    total += metrics.at(name).value;
  metrics["ram_bytes"] = counted(total, "B");
}

Json board_environment(const Board& board, const BoardMeasurement& found) {
  const auto& part = board.type.part;
  Json json{{"supply_mv", board.type.supply.count()},
            {"core_clock_hz", found.hello.core_clock.count()},
            {"unique_id", fmt::format("{:02x}", fmt::join(found.hello.unique_id, ""))},
            {"flash_ms", found.flash_time.count()},
            {"boot_ms", found.boot_time.count()},
            {"retransmissions", found.link.retransmissions}};
  if (part.run_current)
    json["run_current"] = {{"ua_per_mhz", part.run_current->value.count()},
                           {"source", part.run_current->source}};
  if (board.virtual_board)
    json["cycle_model"] = {{"version", part.core.cycle_model},
                           {"evidence", part.core.cycle_evidence}};
  return json;
}

void judge(const BoardMeasurement& found, Record& record) {
  if (found.identical_samples == found.samples) return;
  record.verdict = Verdict::fail;
  const auto& first = found.first_mismatch;
  record.verdict_detail = fmt::format(
      "{} of {} samples have wrong logits; first: sample {}, logit {}: {} instead of {}",
      found.samples - found.identical_samples, found.samples, first ? first->sample : 0,
      first ? first->logit : 0, first ? first->found : 0, first ? first->expected : 0);
}

Result<MeasureRequest> make_request(const MeasurementOrder& order, const FirmwareFacts& facts) {
  MeasureRequest request;
  request.elf = order.artifacts.firmware / "firmware.elf";
  request.build_id = facts.build_id;
  request.model_hash = facts.model_hash;
  request.clock = Hertz(facts.build.at("clock_hz"));
  ASSAY_TRY(const auto test, load_split(order.data, Split::test));
  ASSAY_TRY(request.inputs, quantized_inputs(order.artifacts.model, test, order.samples));
  ASSAY_TRY(const auto evaluation, read_json_file(order.artifacts.evaluate / "evaluation.json"));
  ASSAY_TRY(const auto logits, read_bytes(order.artifacts.evaluate / "logits.bin"));
  const auto wanted = static_cast<std::size_t>(std::min(order.samples, test.count)) *
                      evaluation.at("classes").get<std::size_t>();
  const auto* first = reinterpret_cast<const std::int8_t*>(logits.data());
  if (logits.size() < wanted)
    return fail(ErrorKind::infrastructure,
                fmt::format("{} is too short; remove it with assay cache prune",
                            (order.artifacts.evaluate / "logits.bin").string()));
  request.expected_logits.assign(first, first + wanted);
  return request;
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

Result<Bytes> gzip_size(const std::filesystem::path& path) {
  // Not zlib: it ends its blocks elsewhere, and so finds other sizes at every setting.
  ProcessSpec spec;
  ASSAY_TRY(spec.input, read_text(path));
  spec.arguments = {"gzip", "-9n"};
  spec.environment = {{"GZIP", ""}};  // options of the user's own
  ASSAY_TRY(const auto outcome, run_process(spec));
  if (outcome.exit_code != 0)
    return fail(ErrorKind::infrastructure,
                fmt::format("gzip cannot compress {}: {}", path.string(), outcome.errors));
  return Bytes(outcome.output.size());
}

Result<Record> measure_cell(const MeasurementOrder& order, Desk& desk, const Board& board,
                            std::stop_token stop) {
  Record record = order.identity;
  record.board = board.name;
  record.board_type = board.type.name;
  record.part = board.type.part.name;
  record.virtual_board = board.virtual_board;
  ASSAY_TRY(const auto facts, read_firmware_facts(order.artifacts.firmware));
  record.build = facts.build;
  record.metrics = facts.metrics;
  record.environment = {{"host", host_environment()}, {"data", order.data}};
  ASSAY_CHECK(add_model_metrics(order, record.metrics));
  if (facts.fits) {
    ASSAY_TRY(const auto request, make_request(order, facts));
    ASSAY_TRY(const auto found, desk.measure(board, request, stop));
    record.metrics["samples_confirmed"] = counted(static_cast<double>(found.identical_samples), "");
    add_ram_metrics(found, record.metrics);
    add_timing_metrics(found, board, record.metrics);
    record.environment["board"] = board_environment(board, found);
    judge(found, record);
  } else {
    record.verdict = Verdict::fail;
    record.verdict_detail = facts.does_not_fit;
  }
  record.recorded_at = utc_timestamp();
  return record;
}

}  // namespace assay
