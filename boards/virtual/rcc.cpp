#include "boards/virtual/rcc.hpp"

#include <fmt/format.h>

namespace assay::virtual_board {

Result<std::unique_ptr<Rcc>> make_rcc(const BoardType& type) {
  const std::string& clock_driver = type.part.clock_driver;
  const std::optional<Hertz> crystal = type.crystal;
  if (clock_driver == "stm32f4") return make_rcc_stm32f4(crystal);
  if (clock_driver == "stm32f0") return make_rcc_stm32f0(crystal);
  if (clock_driver == "stm32f7") return make_rcc_stm32f7(type);
  if (clock_driver == "stm32h7") return make_rcc_stm32h7(type);
  if (clock_driver == "stm32h7a3") return make_rcc_stm32h7a3(type);
  return fail(ErrorKind::bad_input, fmt::format("clock_driver \"{}\" has no virtual model; known: "
                                                "stm32f0, stm32f4, stm32f7, stm32h7, stm32h7a3",
                                                clock_driver));
}

}  // namespace assay::virtual_board
