#include "boards/virtual/rcc.hpp"

#include <fmt/format.h>

namespace assay::virtual_board {

Result<std::unique_ptr<Rcc>> make_rcc(const std::string& clock_driver,
                                      std::optional<Hertz> crystal) {
  if (clock_driver == "stm32f4") return make_rcc_stm32f4(crystal);
  if (clock_driver == "stm32f0") return make_rcc_stm32f0(crystal);
  return fail(ErrorKind::bad_input,
              fmt::format("clock_driver \"{}\" has no virtual model; known: stm32f0, stm32f4",
                          clock_driver));
}

}  // namespace assay::virtual_board
