// What kernels are chosen for, on the command line: --optimize, --flash-budget,
// --latency-budget, --ram-budget.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "harness/plan/deploy_goal.hpp"

namespace assay::cli {

inline constexpr const char* ram_budget_help =
    "Most bytes of tensors and scratch; layers run in strips where that is what it takes";

struct GoalOptions {
  std::string optimize = "latency";
  std::optional<std::uint64_t> flash_budget;
  std::optional<double> latency_budget;
  std::optional<std::uint64_t> ram_budget;

  void add(CLI::App& options) {
    options
        .add_option("--optimize", optimize,
                    "What kernels are chosen for: latency, flash, or balanced")
        ->capture_default_str()
        ->check(CLI::IsMember({"latency", "flash", "balanced"}));
    options
        .add_option("--flash-budget", flash_budget,
                    "Most bytes of constants and code of all layers, as linked")
        ->check(whole_number);
    options.add_option("--latency-budget", latency_budget, "Most microseconds of an inference")
        ->check(positive_number);
    options.add_option("--ram-budget", ram_budget, ram_budget_help)->check(whole_number);
  }

  /// Digits alone: a sign would wrap around, and a zero in front would make it octal.
  static std::string whole_number(const std::string& text) {
    const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
    const bool octal = text.size() > 1 && text.front() == '0';
    return digits && !octal && !text.empty() && text.size() <= 12
               ? ""
               : "expected whole bytes, found " + text;
  }
  static std::string positive_number(const std::string& text) {
    double number = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = end.ec == std::errc() && end.ptr == text.data() + text.size();
    return whole && std::isfinite(number) && number > 0
               ? ""
               : "expected microseconds above 0, found " + text;
  }

  DeployGoal goal() const {
    DeployGoal goal;
    goal.optimize = parse_optimize(optimize).value_or(Optimize::latency);
    if (flash_budget) goal.flash_budget = Bytes(*flash_budget);
    if (latency_budget) goal.latency_budget = Microseconds(*latency_budget);
    if (ram_budget) goal.ram_budget = Bytes(*ram_budget);
    return goal;
  }

  /// The options that differ from the defaults, to be said again: " --optimize flash".
  std::string text() const {
    std::string text;
    if (optimize != GoalOptions().optimize) text += " --optimize " + optimize;
    if (flash_budget) text += fmt::format(" --flash-budget {}", *flash_budget);
    if (latency_budget) text += fmt::format(" --latency-budget {}", *latency_budget);
    if (ram_budget) text += fmt::format(" --ram-budget {}", *ram_budget);
    return text;
  }
};

}  // namespace assay::cli
