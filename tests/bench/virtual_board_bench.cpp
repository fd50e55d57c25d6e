// How fast a virtual board executes: instructions in a second of processor time, of a dense layer
// over weights in flash. Nothing else runs in this process, so that a busy machine does not matter.
#include <benchmark/benchmark.h>

#include <ctime>

#include <thread>

#include "tests/boards/virtual/test_board.hpp"

namespace assay::test {
namespace {

void Execute(benchmark::State& state, const BoardUnderTest& kind) {
  const auto board = start_board(kind, "spin");
  Terminal terminal(board->uart_path());
  terminal.read_until("spinning\n");
  const auto executed = [&] {
    return virtual_board::Board::Access(*board).processor().counter().instructions();
  };
  const std::uint64_t before = executed();
  const std::clock_t began = std::clock();
  for (auto _ : state)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const double seconds = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  state.counters["instructions/s"] = static_cast<double>(executed() - before) / seconds;
}
BENCHMARK_CAPTURE(Execute, stm32f405, f405)->UseRealTime()->Iterations(15);
BENCHMARK_CAPTURE(Execute, stm32f030cc, f030)->UseRealTime()->Iterations(15);

}  // namespace
}  // namespace assay::test

BENCHMARK_MAIN();
