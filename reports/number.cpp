#include "reports/number.hpp"

#include <fmt/format.h>

#include <cmath>

namespace assay {

std::string format_number(double value, int decimals, std::string_view thousands) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  const std::size_t first_digit = text.starts_with('-') ? 1 : 0;
  std::size_t point = text.find('.');
  if (point == std::string::npos) point = text.size();
  for (std::size_t at = point; at > first_digit + 3;) {
    at -= 3;
    text.insert(at, thousands);
  }
  return text;
}

std::string exact_number(double value) {
  return fmt::format("{}", value);
}

std::string readable_number(double value) {
  return value == std::trunc(value) ? exact_number(value) : fmt::format("{:.8g}", value);
}

std::string unit_text(std::string_view unit) {
  if (unit == "us") return "µs";
  if (unit == "uJ") return "µJ";
  if (unit == "x") return "×";
  return std::string(unit);
}

DisplayUnit display_unit(std::string_view unit, int decimals, double smallest_value) {
  if ((unit == "us" || unit == "uJ") && smallest_value >= 100)
    return {unit == "us" ? "ms" : "mJ", 1000, smallest_value >= 1000 ? 2 : 3};
  return {unit_text(unit), 1, decimals};
}

std::string_view provenance_mark(Provenance provenance) {
  switch (provenance) {
    case Provenance::measured:
      return "m";
    case Provenance::modelled:
      return "~";
    case Provenance::counted:
      return "c";
    case Provenance::computed:
      return "h";
  }
  return "?";
}

std::string_view provenance_meaning(Provenance provenance) {
  switch (provenance) {
    case Provenance::measured:
      return "measured on real hardware";
    case Provenance::modelled:
      return "modelled (cycles of the virtual board, data-sheet current)";
    case Provenance::counted:
      return "counted exactly";
    case Provenance::computed:
      return "computed on the host";
  }
  return "unknown";
}

}  // namespace assay
