#include "boards/virtual/rcc.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace assay::virtual_board {
namespace {

using Made = std::unique_ptr<Rcc>;

struct RccRow {
  std::string_view clock_driver;
  Made (*make)(const BoardType& type);
};

/// For the models that need no more of the board than its crystal.
template <Made (*Make)(std::optional<Hertz>)>
Made by_crystal(const BoardType& type) {
  return Make(type.crystal);
}

constexpr std::array models{RccRow{"stm32f0", by_crystal<make_rcc_stm32f0>},
                            RccRow{"stm32f4", by_crystal<make_rcc_stm32f4>},
                            RccRow{"stm32f7", make_rcc_stm32f7},
                            RccRow{"stm32g0", by_crystal<make_rcc_stm32g0>},
                            RccRow{"stm32h7", make_rcc_stm32h7},
                            RccRow{"stm32h7a3", make_rcc_stm32h7a3},
                            RccRow{"stm32l4", by_crystal<make_rcc_stm32l4>},
                            RccRow{"stm32l4plus", by_crystal<make_rcc_stm32l4plus>},
                            RccRow{"stm32u5", make_rcc_stm32u5}};

}  // namespace

Result<std::unique_ptr<Rcc>> make_rcc(const BoardType& type) {
  std::vector<std::string_view> known;
  for (const RccRow& row : models) {
    if (row.clock_driver == type.part.clock_driver) return row.make(type);
    known.push_back(row.clock_driver);
  }
  return fail(ErrorKind::bad_input,
              fmt::format("clock_driver \"{}\" has no virtual model; known: {}",
                          type.part.clock_driver, fmt::join(known, ", ")));
}

std::optional<CoreFailure> beyond(Hertz clock, std::uint32_t wait_states,
                                  std::span<const std::uint32_t> limits_hz) {
  const std::uint64_t hz = clock.count();
  if (hz > limits_hz.back())
    return CoreFailure{fmt::format("a core clock of {} Hz where the core voltage allows {} Hz", hz,
                                   limits_hz.back())};
  const std::uint32_t limit = limits_hz[std::min<std::size_t>(wait_states, limits_hz.size() - 1)];
  if (hz > limit)
    return CoreFailure{fmt::format("a core clock of {} Hz where {} flash wait states allow {} Hz",
                                   hz, wait_states, limit)};
  return std::nullopt;
}

std::optional<Hertz> Pll::output() const {
  const std::uint64_t vco = source_hz * n / m;
  if (vco < least_vco_hz || vco > most_vco_hz) return std::nullopt;
  return Hertz(vco / r);
}

}  // namespace assay::virtual_board
