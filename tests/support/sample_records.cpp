#include "tests/support/sample_records.hpp"

#include <fmt/format.h>

#include <array>

#include "harness/core/hash.hpp"

namespace assay::test {
namespace {

struct Student {
  const char* label;
  int cut;
  double alpha;
  double accuracy;
  double flash;
  double ram;
  double macc;
};

constexpr std::array students{
    Student{"width50", 0, 1.0, 90.12, 48'912, 14'608, 1'412'608},
    Student{"width50_a0.5_T4", 0, 0.5, 90.87, 48'904, 14'608, 1'412'608},
    Student{"cut4-width50", 4, 1.0, 87.93, 22'240, 14'320, 1'204'736},
    Student{"cut4-width50_a0.5_T4", 4, 0.5, 88.41, 22'228, 14'320, 1'204'736},
};

struct SampleBoard {
  const char* type;
  const char* part;
  const char* name;
  double clock_mhz;
  double cycles_per_mac;
  double volts_times_amps;  // watts while it computes
};

constexpr std::array boards{
    SampleBoard{"olimex-stm32-h405", "stm32f405", "f405-a", 168, 1.37, 0.257},
    SampleBoard{"stm32f030-demo", "stm32f030cc", "f030-a", 48, 9.81, 0.0726},
};

Metrics metrics_of(const Student& student, const SampleBoard& board, int seed) {
  const double cycles = student.macc * board.cycles_per_mac;
  const double latency_us = cycles / board.clock_mhz;
  const double accuracy = student.accuracy + 0.17 * (seed - 1) * (seed % 2 == 0 ? -1 : 1);
  const auto measured = Provenance::modelled;  // virtual boards: nothing here is silicon
  return {
      {"accuracy_top1", {accuracy, "%", Provenance::computed, {}}},
      {"accuracy_top1_float", {accuracy + 0.11, "%", Provenance::computed, {}}},
      {"samples_confirmed", {500, "", Provenance::counted, {}}},
      {"rom_bytes", {student.flash, "B", Provenance::counted, {}}},
      {"rom_weights_bytes", {student.flash - 11'204, "B", Provenance::counted, {}}},
      {"ram_bytes", {student.ram, "B", Provenance::counted, {}}},
      {"ram_arena_bytes", {student.ram - 1'320, "B", Provenance::counted, {}}},
      {"macc", {student.macc, "", Provenance::counted, {}}},
      {"cycles", {cycles, "", measured, {cycles, cycles, cycles}}},
      {"latency_us", {latency_us, "us", measured, {latency_us, latency_us, latency_us}}},
      {"energy_uj", {latency_us * board.volts_times_amps, "uJ", measured, {}}},
      {"compression_ratio", {438'272 / (student.flash - 9'000), "x", Provenance::computed, {}}},
  };
}

Json config_of(const Student& student, int seed) {
  return {{"data", "fashion-mnist"},
          {"student", {{"family", "conv5"}, {"cut", student.cut}, {"fewer_filters_pct", 50}}},
          {"distill", {{"alpha", student.alpha}, {"T", student.alpha < 1 ? 4 : 1}}},
          {"train", {{"epochs", 12}}},
          {"seed", seed}};
}

Record record_of(const Student& student, const SampleBoard& board, int seed) {
  Record record;
  record.config = config_of(student, seed);
  record.config_id = sha256_hex(canonical_json(record.config));
  record.group_id = sha256_hex(student.label);
  record.cell_id = sha256_hex(record.config_id + board.type);
  record.measurement_key = sha256_hex("measurement " + record.cell_id);
  record.matrix = "demo";
  record.label = fmt::format("{}_s{}", student.label, seed);
  record.board_type = board.type;
  record.part = board.part;
  record.board = board.name;
  record.virtual_board = true;
  record.build = {{"compiler", "arm-none-eabi-g++ 12.2.1"},
                  {"flags", {"-O3", "-ffunction-sections"}},
                  {"clock_hz", board.clock_mhz * 1e6},
                  {"elf_sha256", sha256_hex("elf " + record.cell_id)}};
  record.environment = {{"data", "fashion-mnist"},
                        {"host", {{"arithmetic", 1}, {"assay", "0.1.0"}}},
                        {"board", {{"core_clock_hz", board.clock_mhz * 1e6}}}};
  record.metrics = metrics_of(student, board, seed);
  record.command =
      fmt::format("assay run demo.json --only 'student.cut={},distill.alpha={},seed={}'",
                  student.cut, student.alpha, seed);
  record.recorded_at = fmt::format("2026-01-31T12:{:02}:30Z", 10 + seed);
  return record;
}

}  // namespace

std::vector<Record> sample_records(int seeds) {
  std::vector<Record> records;
  for (const auto& board : boards)
    for (const auto& student : students)
      for (int seed = 1; seed <= seeds; ++seed)
        records.push_back(record_of(student, board, seed));
  return records;
}

}  // namespace assay::test
