// How figures look: the one place that turns numbers into text for readers. Pure, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "harness/core/metric.hpp"

namespace assay {

/// `value` with that many decimals and a mark between groups of three digits ("41,236.50").
std::string format_number(double value, int decimals, std::string_view thousands);

/// The shortest decimal text that reads back as the same double; for machines.
std::string exact_number(double value);

/// Eight digits of a fraction ("84904.104"), every digit of a whole number.
std::string readable_number(double value);

/// "us" as readers write it: "µs".
std::string unit_text(std::string_view unit);

/// The unit a column is shown in: values are divided by `divisor` first.
struct DisplayUnit {
  std::string text;  ///< "ms"
  double divisor = 1;
  int decimals = 0;
};

/// Chooses milliseconds over microseconds and millijoules over microjoules when every shown value
/// is at least 100 of the small unit, with three digits or more of each; bytes and counts stay
/// exact.
DisplayUnit display_unit(std::string_view unit, int decimals, double smallest_value);

/// One character for a provenance: m measured, ~ modelled, c counted, h computed by the host.
std::string_view provenance_mark(Provenance provenance);
/// What the legend says about it.
std::string_view provenance_meaning(Provenance provenance);

}  // namespace assay
