// A board in memory for the tests of the wire: the real firmware loop over a port and a model that
// are simulated, in simulated time. It keeps what real hardware would complain about (overruns) and
// what the tests compare with (logits computed on their own path).
//
// targets/port/port.hpp and targets/runtime/model.hpp are free functions, so one board exists per
// program: the latest one made. One thread.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "boards/link/link.hpp"
#include "harness/core/clock.hpp"
#include "targets/wire/firmware_loop.hpp"

#ifndef FAKE_INPUT_SIZE
#define FAKE_INPUT_SIZE 784
#endif

namespace assay::test {

constexpr std::size_t fake_input_size = FAKE_INPUT_SIZE;
constexpr std::size_t fake_output_size = 10;

/// Time that passes when the test says so.
class FakeClock : public Clock {
 public:
  TimePoint now() const override { return now_; }
  void advance_to(TimePoint time) { now_ = std::max(now_, time); }

 private:
  TimePoint now_{std::chrono::hours(1)};
};

/// What the model makes of an input: every byte and its place count.
std::array<std::int8_t, fake_output_size> fake_logits(const std::int8_t* input);

/// `count` samples, different from each other, zeros and runs without zeros among them.
std::vector<std::int8_t> fake_samples(std::size_t count, std::uint32_t seed);

/// What the receive ring holds, in bytes: a sample besides the one being served, or the least.
constexpr std::size_t roomy_ring =
    wire::encoded_bound(wire::input_head + fake_input_size) + wire::ring_reserve;
constexpr std::size_t least_ring =
    wire::encoded_bound(wire::max_plain_payload) + wire::ring_reserve;

class FakeBoard {
 public:
  explicit FakeBoard(FakeClock& clock);
  ~FakeBoard();
  FakeBoard(const FakeBoard&) = delete;
  FakeBoard& operator=(const FakeBoard&) = delete;

  /// Power-on: a new loop with nothing remembered; bytes in the ring are gone.
  void reset();
  /// Bytes on the receive pin. They go into the ring, which the loop empties while it computes
  /// nothing; without room, or in a quiet window, they are lost and counted.
  void arrive(std::span<const std::byte> data);
  /// Computes as long as board time is not past `now`; moves what was sent by then to `out`.
  void run_until(Clock::TimePoint now, std::vector<std::byte>& out);
  /// Core cycles one inference of this input takes: its time, and a little that depends on the
  /// data.
  std::uint32_t cycles_of(const std::int8_t* input) const;
  /// When the next bytes are due, or the far future.
  Clock::TimePoint next_output() const;

  // Settings.
  std::size_t ring_capacity = roomy_ring;  ///< bytes; from the next reset on
  std::chrono::nanoseconds inference_time{std::chrono::milliseconds(2)};
  bool has_cycles = true;
  std::uint32_t stack = 1234;
  std::uint32_t resident_kib = 0;
  std::size_t dies_after = SIZE_MAX;    ///< inferences until it goes silent for good
  std::size_t resets_after = SIZE_MAX;  ///< inferences until the supply dips once

  // Observations.
  std::uint32_t overruns = 0;
  std::size_t inferences = 0;
  std::size_t quiet_windows = 0;
  std::size_t deepest_ring = 0;
  std::size_t sent_in_quiet = 0;  ///< bytes, a fault of the loop

  // The port's and the model's side.
  struct Output {
    Clock::TimePoint at;
    std::byte byte;
  };
  std::deque<std::uint8_t> ring;
  std::deque<Output> sent;
  bool quiet = false;
  bool idle = false;
  Clock::TimePoint time;  ///< of the board; ahead of the clock while it computes
  std::uint32_t cycle_count = 0;
  std::array<std::int8_t, fake_input_size> arena{};
  std::array<std::int8_t, fake_output_size> logits{};

 private:
  void compute(Clock::TimePoint now);

  FakeClock& clock_;
  std::unique_ptr<wire::FirmwareLoop> loop_;
};

/// The link to a FakeBoard: reading lets simulated time pass.
class FakeLink : public Link {
 public:
  FakeLink(FakeBoard& board, FakeClock& clock) : board_(board), clock_(clock) {}
  Result<std::size_t> read(std::span<std::byte> buffer, std::chrono::milliseconds timeout) override;
  Status write(std::span<const std::byte> data) override;
  std::string name() const override { return "virtual:fake-a"; }

 private:
  FakeBoard& board_;
  FakeClock& clock_;
  std::vector<std::byte> waiting_;
};

}  // namespace assay::test
