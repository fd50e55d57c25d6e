#include "boards/virtual/cycle_model.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <string_view>

namespace assay::virtual_board {
namespace {

struct CostKey {
  std::string_view name;
  std::uint32_t CycleCosts::*field;
  std::uint32_t CycleCosts::*fallback;  ///< taken when absent; nullptr: 0
  bool necessary;
};

// In an order in which every fallback comes before those that take it.
constexpr std::array cost_keys = {
    CostKey{"alu", &CycleCosts::alu, nullptr, true},
    CostKey{"multiply", &CycleCosts::multiply, nullptr, true},
    CostKey{"multiply_long", &CycleCosts::multiply_long, nullptr, false},
    CostKey{"mac", &CycleCosts::mac, nullptr, false},
    CostKey{"divide", &CycleCosts::divide, nullptr, false},
    CostKey{"load", &CycleCosts::load, nullptr, true},
    CostKey{"load_adjacent", &CycleCosts::load_adjacent, &CycleCosts::load, false},
    CostKey{"load_next", &CycleCosts::load_next, nullptr, true},
    CostKey{"address_wait", &CycleCosts::address_wait, nullptr, false},
    CostKey{"store", &CycleCosts::store, nullptr, true},
    CostKey{"store_register_offset", &CycleCosts::store_register_offset, &CycleCosts::store, false},
    CostKey{"store_multiple", &CycleCosts::store_multiple, nullptr, false},
    CostKey{"store_next", &CycleCosts::store_next, nullptr, true},
    CostKey{"store_load", &CycleCosts::store_load, nullptr, false},
    CostKey{"branch_taken", &CycleCosts::branch_taken, nullptr, true},
    CostKey{"branch_not_taken", &CycleCosts::branch_not_taken, nullptr, true},
    CostKey{"branch_link", &CycleCosts::branch_link, nullptr, true},
    CostKey{"branch_register", &CycleCosts::branch_register, nullptr, true},
    CostKey{"pop_pc", &CycleCosts::pop_pc, nullptr, true},
    CostKey{"system", &CycleCosts::system, nullptr, true},
    CostKey{"barrier", &CycleCosts::barrier, nullptr, true},
    CostKey{"float_alu", &CycleCosts::float_alu, nullptr, false},
    CostKey{"float_mac", &CycleCosts::float_mac, nullptr, false},
    CostKey{"float_divide", &CycleCosts::float_divide, nullptr, false},
    CostKey{"exception", &CycleCosts::exception, nullptr, true},
};

bool is_single(const Instruction& instruction) {
  return instruction.words == 1;
}

std::uint32_t load_cost(const CycleCosts& costs, const Instruction& it, const Instruction* before,
                        bool waits) {
  std::uint32_t cycles = costs.load;
  if (before && before->operation == Operation::load && is_single(*before) && is_single(it) &&
      !waits)
    cycles = costs.load_adjacent;
  if (before && before->operation == Operation::store) cycles += costs.store_load;
  cycles += costs.load_next * (it.words > 0 ? it.words - 1u : 0u);
  if (it.loads_pc) cycles += costs.pop_pc;
  return cycles;
}

std::uint32_t store_cost(const CycleCosts& costs, const Instruction& it) {
  std::uint32_t cycles = it.address.index >= 0 ? costs.store_register_offset : costs.store;
  if (!is_single(it)) cycles += costs.store_multiple + costs.store_next * (it.words - 1u);
  return cycles;
}

/// Cycles of one instruction behind another; a branch at the end of a block costs nothing here.
std::uint32_t cost_after(const CycleCosts& costs, const Instruction& it,
                         const Instruction* before) {
  const bool accesses = it.operation == Operation::load || it.operation == Operation::store;
  const bool needs = before && accesses && it.address.base >= 0 &&
                     (before->writes & (1u << it.address.base |
                                        (it.address.index >= 0 ? 1u << it.address.index : 0u)));
  const std::uint32_t wait = needs ? costs.address_wait : 0;
  switch (it.operation) {
    case Operation::alu:
      return costs.alu;
    case Operation::multiply:
      return costs.multiply;
    case Operation::multiply_long:
      return costs.multiply_long;
    case Operation::mac:
      return costs.mac;
    case Operation::divide:
      return costs.divide;
    case Operation::load:
      return wait + load_cost(costs, it, before, needs);
    case Operation::store:
      return wait + store_cost(costs, it);
    case Operation::branch:
      return 0;
    case Operation::branch_link:
      return costs.branch_link;
    case Operation::branch_register:
      return costs.branch_register;
    case Operation::system:
      return costs.system;
    case Operation::barrier:
      return costs.barrier;
    case Operation::float_alu:
      return costs.float_alu;
    case Operation::float_mac:
      return costs.float_mac;
    case Operation::float_divide:
      return costs.float_divide;
  }
  return costs.alu;
}

}  // namespace

Result<CycleCosts> CycleCosts::from_core(const Core& core) {
  CycleCosts costs;
  std::set<std::string_view> known;
  for (const CostKey& key : cost_keys) {
    known.insert(key.name);
    const auto found = core.cycles.find(std::string(key.name));
    if (found == core.cycles.end()) {
      if (key.necessary)
        return fail(ErrorKind::bad_input, fmt::format("core {}: cycles.{} is missing; the virtual "
                                                      "board needs it to count cycles",
                                                      core.name, key.name));
      if (key.fallback) costs.*key.field = costs.*key.fallback;
      continue;
    }
    if (found->second < 0 || found->second != std::floor(found->second))
      return fail(ErrorKind::bad_input,
                  fmt::format("core {}: cycles.{} is {}, expected a whole number of cycles",
                              core.name, key.name, found->second));
    costs.*key.field = static_cast<std::uint32_t>(found->second);
  }
  for (const auto& [name, value] : core.cycles)
    if (!known.contains(name))
      return fail(ErrorKind::bad_input, fmt::format("core {}: cycles.{} is not a class the virtual "
                                                    "board knows; see targets/parts/README.md",
                                                    core.name, name));
  return costs;
}

BlockCost block_cost(const CycleCosts& costs, std::span<const Instruction> instructions) {
  BlockCost result;
  result.until.reserve(instructions.size() + 1);
  std::uint32_t cycles = 0;
  const Instruction* before = nullptr;
  for (const Instruction& it : instructions) {
    result.until.push_back(static_cast<std::uint16_t>(cycles));
    cycles += cost_after(costs, it, before);
    before = &it;
  }
  result.until.push_back(static_cast<std::uint16_t>(cycles));
  if (before && before->operation == Operation::branch) {
    result.taken = costs.branch_taken;
    result.not_taken = costs.branch_not_taken;
  }
  return result;
}

}  // namespace assay::virtual_board
