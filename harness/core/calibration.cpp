#include "harness/core/calibration.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/core/clock.hpp"

namespace assay {
namespace {

constexpr double same_network = 0.01;  // of modelled cycles
constexpr double least_band_pct = 1;
constexpr double least_factor = 0.2, most_factor = 5;

double megahertz(Hertz clock) {
  return static_cast<double>(clock.count()) / 1e6;
}

bool same_conditions(const Part& part, Hertz a, Hertz b) {
  return part.flash_timing
             ? part.flash_timing->wait_states_at(a) == part.flash_timing->wait_states_at(b)
             : a == b;
}

bool is_of(const CalibrationPoint& network, const CalibrationPoint& point) {
  return network.elf_sha256 == point.elf_sha256 ||
         std::abs(network.modelled_cycles - point.modelled_cycles) <
             same_network * network.modelled_cycles;
}

/// The points of one network as one.
CalibrationPoint mean_of(const std::vector<CalibrationPoint>& points) {
  CalibrationPoint mean = points.front();
  mean.measured_cycles = mean.modelled_cycles = 0;
  const auto count = static_cast<double>(points.size());
  for (const auto& point : points) {
    mean.measured_cycles += point.measured_cycles / count;
    mean.modelled_cycles += point.modelled_cycles / count;
  }
  return mean;
}

std::string counted(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

Calibration Calibration::at(const Part& of, Hertz clock) const {
  Calibration found{part, cycle_model, {}};
  for (const auto& point : points)
    if (same_conditions(of, point.clock, clock)) found.points.push_back(point);
  return found;
}

std::vector<CalibrationPoint> Calibration::networks() const {
  auto sorted = points;
  std::ranges::sort(sorted, {}, &CalibrationPoint::modelled_cycles);
  std::vector<std::vector<CalibrationPoint>> groups;
  for (const auto& point : sorted) {
    const auto group = std::ranges::find_if(
        groups, [&](const auto& members) { return is_of(members.front(), point); });
    if (group == groups.end())
      groups.push_back({point});
    else
      group->push_back(point);
  }
  std::vector<CalibrationPoint> means;
  for (const auto& group : groups)
    means.push_back(mean_of(group));
  return means;
}

double Calibration::factor() const {
  double products = 0, squares = 0;
  for (const auto& network : networks()) {
    products += network.measured_cycles * network.modelled_cycles;
    squares += network.modelled_cycles * network.modelled_cycles;
  }
  return products / squares;
}

double Calibration::residual_pct(const CalibrationPoint& point) const {
  return 100 * (factor() * point.modelled_cycles / point.measured_cycles - 1);
}

std::optional<double> Calibration::band_pct() const {
  const auto distinct = networks();
  if (distinct.size() < 2) return std::nullopt;
  double largest = least_band_pct, squares = 0;
  for (const auto& point : points)
    largest = std::max(largest, std::abs(residual_pct(point)));
  for (const auto& network : distinct)
    squares += std::pow(residual_pct(network), 2);
  return std::max(largest, 2 * std::sqrt(squares / static_cast<double>(distinct.size() - 1)));
}

double Calibration::largest_error_pct() const {
  double largest = least_band_pct;
  for (const auto& point : points)
    largest = std::max({largest, std::abs(residual_pct(point)),
                        std::abs(100 * (point.modelled_cycles / point.measured_cycles - 1))});
  return largest;
}

std::string Calibration::evidence() const {
  std::set<std::string> boards;
  std::set<double> clocks;
  std::string newest;
  for (const auto& point : points) {
    boards.insert(point.board);
    clocks.insert(megahertz(point.clock));
    newest = std::max(newest, point.date);
  }
  return fmt::format("calibrated on {} of {} at {:g} MHz ({}, {})", counted(points.size(), "point"),
                     counted(networks().size(), "network"), fmt::join(clocks, ", "),
                     fmt::join(boards, ", "), newest);
}

void Calibration::add(CalibrationPoint point) {
  const auto same = std::ranges::find_if(points, [&](const CalibrationPoint& known) {
    return known.elf_sha256 == point.elf_sha256 && known.clock == point.clock &&
           known.board == point.board;
  });
  if (same == points.end())
    points.push_back(std::move(point));
  else
    *same = std::move(point);
}

Status check_point(const Part& part, const CalibrationPoint& point) {
  if (part.runs_linux())
    return fail(ErrorKind::bad_input,
                fmt::format("{} runs Linux and has no cycle model: there is nothing to calibrate",
                            part.name));
  if (!std::ranges::none_of(point.board, [](unsigned char c) { return c < 0x20; }))
    return fail(ErrorKind::bad_input,
                fmt::format("{}: the board's name has control characters", point.network));
  if (point.clock < Hertz(1'000'000))
    return fail(ErrorKind::bad_input,
                fmt::format("{}: a clock_hz of {} is below 1 MHz: give it in hertz", point.network,
                            point.clock.count()));
  if (point.clock > part.max_clock.value)
    return fail(
        ErrorKind::bad_input,
        fmt::format("{}: clock_hz is {:g} MHz, and {} runs at {:g} MHz at most", point.network,
                    megahertz(point.clock), part.name, megahertz(part.max_clock.value)));
  // A day that a person writes down is a local one, 14 hours ahead of UTC at most.
  if (const std::string today = utc_day(std::chrono::hours(14)); point.date > today)
    return fail(ErrorKind::bad_input,
                fmt::format("{}: {} is still to come, the latest day on earth is {}: mend the "
                            "point's date, or the clock that gave it",
                            point.network, point.date, today));
  const double factor = point.measured_cycles / point.modelled_cycles;
  if (factor < least_factor || factor > most_factor)
    return fail(ErrorKind::bad_input,
                fmt::format("{}: {:.0f} measured cycles are {:.3g} times the {:.0f} modelled ones, "
                            "and no model is wrong by more than {:g}: check units, clock and "
                            "firmware",
                            point.network, point.measured_cycles, factor, point.modelled_cycles,
                            most_factor));
  return {};
}

}  // namespace assay
