// What a compiler that failed has to say, in one line. Pure; thread-safe.
#pragma once

#include <sstream>
#include <string>

namespace assay {

/// The first error of the compiler, else the first missing symbol of the linker, else the first
/// line; not the driver's own summary of them.
inline std::string first_complaint(const std::string& errors) {
  for (const char* sign : {"error: ", "undefined reference"}) {
    std::istringstream lines(errors);
    for (std::string line; std::getline(lines, line);)
      if (line.find(sign) != std::string::npos && !line.starts_with("collect2")) return line;
  }
  return errors.substr(0, errors.find('\n'));
}

}  // namespace assay
