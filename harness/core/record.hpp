// A record: everything known about one measurement of one cell on one board, and who made it.
#pragma once

#include <string>
#include <string_view>

#include "harness/core/json.hpp"
#include "harness/core/metric.hpp"

namespace assay {

/// How a measurement ended.
enum class Verdict {
  pass,   ///< every streamed logit identical, figures taken
  fail,   ///< wrong logits, the model does not fit, or misses its budget
  infra,  ///< cable, probe, power: says nothing about the model
};

std::string_view to_string(Verdict verdict);
Result<Verdict> parse_verdict(std::string_view word);

/// Board type, part and board of a record that no board was needed for: figures computed and
/// counted on the host.
inline constexpr std::string_view host_target = "host";

/// One row of the results store. Plain value.
struct Record {
  std::string measurement_key;  ///< hash of everything the figures depend on; unique in a store
  std::string cell_id;          ///< config + board type + deployment options
  std::string config_id;        ///< config with its seed
  std::string group_id;         ///< config without its seed: rows averaged over seeds share it
  std::string matrix;           ///< matrix name, or "measure"
  std::string label;            ///< "cut4-width50_a0.5_T4_s1"
  std::string board_type;       ///< "olimex-stm32-h405", or host_target
  std::string part;             ///< "stm32f405"
  std::string board;            ///< name in the inventory
  bool virtual_board = false;   ///< figures can never pass for silicon
  Verdict verdict = Verdict::pass;
  std::string verdict_detail;  ///< one sentence when the verdict is not pass
  Json config;                 ///< the canonical configuration
  Json build;                  ///< ELF hash, build-id note, compiler and flags
  Json environment;  ///< host, versions, data set, clock, supply, arithmetic version; "notices"
  Metrics metrics;
  std::string command;      ///< reproduces the row
  std::string recorded_at;  ///< UTC
};

Json to_json(const Record& record);
/// Errors: bad_input naming the path of the bad field.
Result<Record> parse_record(const Json& json, const std::string& source);

}  // namespace assay
