// Throughput of the wire: the codec alone, and the echo through a pty.
//
//   link_bench                      the firmware loop on a thread of this program, over a pty pair
//   link_bench --tty=/dev/pts/7     whatever answers there: a virtual board's UART
//   link_bench --tty=/dev/ttyACM0 --baud=921600
//
// bytes_per_second of LinkEcho counts payload once, although it travels both ways.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "boards/link/session.hpp"
#include "boards/link/uart_link.hpp"
#include "tests/support/board_thread.hpp"
#include "tests/support/pty_pair.hpp"

namespace assay::test {
namespace {

struct Settings {
  std::string tty;  ///< empty: a board thread of our own
  Baud baud{921600};
};

std::vector<std::uint8_t> random_bytes(std::size_t size) {
  std::mt19937 random(1);
  std::vector<std::uint8_t> bytes(size);
  for (auto& byte : bytes)
    byte = static_cast<std::uint8_t>(random());
  return bytes;
}

void set_bytes(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void Crc32(benchmark::State& state) {
  const auto bytes = random_bytes(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state)
    benchmark::DoNotOptimize(wire::crc32(0, bytes.data(), bytes.size()));
  set_bytes(state);
}
BENCHMARK(Crc32)->Arg(800)->Arg(27648);

void append(void* context, const std::uint8_t* data, std::size_t size) {
  auto& out = *static_cast<std::vector<std::uint8_t>*>(context);
  out.insert(out.end(), data, data + size);
}

void encode(const std::vector<std::uint8_t>& payload, std::vector<std::uint8_t>& out) {
  out.clear();
  wire::FrameWriter writer(wire::Sink{append, &out});
  writer.begin(wire::Type::echo, 1);
  writer.put(payload.data(), payload.size());
  writer.end();
}

void FrameEncode(benchmark::State& state) {
  const auto payload = random_bytes(static_cast<std::size_t>(state.range(0)));
  std::vector<std::uint8_t> out;
  for (auto _ : state) {
    encode(payload, out);
    benchmark::DoNotOptimize(out.data());
  }
  set_bytes(state);
}
BENCHMARK(FrameEncode)->Arg(800)->Arg(27648);

void FrameDecode(benchmark::State& state) {
  const auto payload = random_bytes(static_cast<std::size_t>(state.range(0)));
  std::vector<std::uint8_t> encoded;
  encode(payload, encoded);
  std::vector<std::uint8_t> buffer(payload.size() + wire::frame_head + wire::frame_tail);
  wire::FrameReader reader(buffer.data(), buffer.size());
  for (auto _ : state) {
    reader.take(encoded.data(), 1);
    reader.take(encoded.data() + 1, encoded.size() - 1);
    if (reader.outcome() != wire::FrameReader::Outcome::frame) {
      state.SkipWithError("the frame was not decoded");
      return;
    }
  }
  set_bytes(state);
}
BENCHMARK(FrameDecode)->Arg(800)->Arg(27648);

void link_echo(benchmark::State& state, const Settings& settings) {
  PtyPair pty;
  std::optional<BoardThread> board;
  if (settings.tty.empty()) board.emplace(pty.master());
  auto link = open_uart(settings.tty.empty() ? pty.path() : settings.tty, settings.baud, "board");
  if (!link) return state.SkipWithError(link.error().message.c_str());
  auto session = Session::open(**link, std::chrono::seconds(5));
  if (!session) return state.SkipWithError(session.error().message.c_str());
  const auto bytes = random_bytes(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    const auto echoed = session->echo(bytes);
    if (!echoed) return state.SkipWithError(echoed.error().message.c_str());
    if (*echoed != bytes) return state.SkipWithError("other bytes came back");
  }
  set_bytes(state);
  state.counters["retransmissions"] = static_cast<double>(session->counters().retransmissions);
}

/// Takes our own options out of the arguments.
Settings take_settings(int& count, char** arguments) {
  Settings settings;
  int kept = 1;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument.starts_with("--tty="))
      settings.tty = argument.substr(6);
    else if (argument.starts_with("--baud="))
      settings.baud = Baud(static_cast<std::uint32_t>(std::strtoul(arguments[i] + 7, nullptr, 10)));
    else
      arguments[kept++] = arguments[i];
  }
  count = kept;
  return settings;
}

}  // namespace
}  // namespace assay::test

int main(int count, char** arguments) {
  const assay::test::Settings settings = assay::test::take_settings(count, arguments);
  benchmark::RegisterBenchmark("LinkEcho", assay::test::link_echo, settings)
      ->Arg(65536)
      ->UseRealTime();
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) return EXIT_FAILURE;
  benchmark::RunSpecifiedBenchmarks();
  return EXIT_SUCCESS;
}
