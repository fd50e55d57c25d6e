// Board constants of QEMU's mps2-an500; the emulated machine has one fixed clock.
#include "targets/port/startup.hpp"
#include "tests/targets/build/device/cmsdk_uart.hpp"

namespace assay::port {

extern const VectorTable<0> vector_table;
[[gnu::section(".vectors"), gnu::used]] constexpr VectorTable<0> vector_table;

const BoardConfig board_config{
    0,           25'000'000,
    3300,        0x40004000,
    0,           115200,
    {0, 0, 0},   {0, 1, 0},
    0,           [](const BoardConfig& config) { return Clocks{config.clock_hz, config.clock_hz}; },
    &cmsdk::uart};

}  // namespace assay::port
