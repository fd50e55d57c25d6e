// What a compiler that failed has to say, in one line. Pure; thread-safe.
#pragma once

#include <sstream>
#include <string>

namespace assay {

/// The compiler's first error, else the linker's first line; not the driver's own summary of both.
inline std::string first_complaint(const std::string& errors) {
  std::istringstream lines(errors);
  for (std::string line; std::getline(lines, line);)
    if (line.find("error:") != std::string::npos && !line.starts_with("collect2")) return line;
  return errors.substr(0, errors.find('\n'));
}

}  // namespace assay
