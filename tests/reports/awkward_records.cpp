#include "tests/reports/awkward_records.hpp"

namespace assay::test {

const char* const awkward_label = "<script>alert(\"1\")</script>, 'x' & 100%_#1 ${a}~^\\|`*[z]";

ReportInput awkward_report() {
  Record passed;
  passed.measurement_key = "key-1";
  passed.cell_id = "cell-1";
  passed.config_id = "config-1";
  passed.group_id = "group-1";
  passed.matrix = "small";
  passed.label = "width50_s1";
  passed.board_type = "olimex-stm32-h405";
  passed.part = "stm32f405";
  passed.board = "desk-1";
  passed.config = {{"data", "fashion-mnist"}, {"seed", 1}};
  passed.build = {{"compiler", "arm-none-eabi-g++ 12.2.1"}};
  passed.environment = {{"clock_hz", 168000000}};
  passed.command = "assay run small.json --only 'seed=1'";
  passed.recorded_at = "2026-01-31T12:00:00Z";
  passed.metrics = {
      {"accuracy_top1", {90.125, "%", Provenance::computed, {}}},
      {"rom_bytes", {48912, "B", Provenance::counted, {}}},
      {"latency_us", {11519.5, "us", Provenance::measured, {11519.5, 11519.5}}},
  };
  Record failed = passed;
  failed.measurement_key = "key-2";
  failed.cell_id = "cell-2";
  failed.config_id = "config-2";
  failed.group_id = "group-2";
  failed.label = awkward_label;
  failed.board = "f405-\"b\"";
  failed.virtual_board = true;
  failed.verdict = Verdict::fail;
  failed.verdict_detail = "sample 17: logit 3 is -12 </td> on the board\nand -11 on the host";
  failed.command = "assay run 'a & b.json'";
  failed.config["note"] = "</script><script>alert(2)</script>";
  failed.metrics["latency_us"].provenance = Provenance::modelled;
  Record infra = passed;
  infra.measurement_key = "key-3";
  infra.cell_id = "cell-3";
  infra.config_id = "config-3";
  infra.group_id = "group-3";
  infra.label = "[cut4]";
  infra.verdict = Verdict::infra;
  infra.verdict_detail = "the probe answered nothing for 5 s; check its cable";
  infra.metrics.clear();
  return {"Small & <awkward>",
          {passed, failed, infra},
          {{"teacher_accuracy", 91.62}, {"command", "assay run small.json"}}};
}

}  // namespace assay::test
