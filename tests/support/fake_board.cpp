#include "tests/support/fake_board.hpp"

#include <algorithm>
#include <cstring>
#include <random>

#include "targets/port/port.hpp"
#include "targets/runtime/model.hpp"

namespace assay::test {

namespace {

FakeBoard* board = nullptr;

constexpr std::uint32_t clock_hz = 168'000'000;

}  // namespace

std::array<std::int8_t, fake_output_size> fake_logits(const std::int8_t* input) {
  std::array<std::int8_t, fake_output_size> logits{};
  std::uint32_t state = 2166136261u;
  for (std::size_t i = 0; i < fake_input_size; ++i) {
    state = (state ^ static_cast<std::uint8_t>(input[i])) * 16777619u;  // FNV-1a
    logits[i % fake_output_size] = static_cast<std::int8_t>(state >> 13);
  }
  return logits;
}

std::vector<std::int8_t> fake_samples(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::int8_t> samples(count * fake_input_size);
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned zeros_in_8 = static_cast<unsigned>(i % 9);  // from none to all
    for (std::size_t j = 0; j < fake_input_size; ++j) {
      const auto value = static_cast<std::int8_t>(random());
      samples[i * fake_input_size + j] =
          random() % 8 < zeros_in_8 ? std::int8_t{0} : (value == 0 ? std::int8_t{1} : value);
    }
  }
  return samples;
}

FakeBoard::FakeBoard(FakeClock& clock) : time(clock.now()), clock_(clock) {
  board = this;
  reset();
}

FakeBoard::~FakeBoard() {
  board = nullptr;
}

void FakeBoard::reset() {
  ring.clear();
  quiet = false;
  loop_ = std::make_unique<wire::FirmwareLoop>();
  loop_->start("stm32fake");
}

void FakeBoard::arrive(std::span<const std::byte> data) {
  for (std::byte byte : data) {
    constexpr std::size_t emptied_every = 64;  // bytes: the loop is faster than any line
    if (ring.size() % emptied_every == 0) compute(clock_.now());
    if (quiet || ring.size() == ring_capacity) {
      ++overruns;
      continue;
    }
    ring.push_back(std::to_integer<std::uint8_t>(byte));
    deepest_ring = std::max(deepest_ring, ring.size());
  }
}

void FakeBoard::compute(Clock::TimePoint now) {
  for (idle = false; !idle && time <= now && inferences < dies_after;) {
    if (inferences >= resets_after) {
      resets_after = SIZE_MAX;
      reset();
    }
    loop_->poll();
  }
  if (idle) time = std::max(time, now);
}

void FakeBoard::run_until(Clock::TimePoint now, std::vector<std::byte>& out) {
  compute(now);
  for (; !sent.empty() && sent.front().at <= now; sent.pop_front())
    out.push_back(sent.front().byte);
}

std::uint32_t FakeBoard::cycles_of(const std::int8_t* input) const {
  const auto microseconds =
      std::chrono::duration_cast<std::chrono::microseconds>(inference_time).count();
  return static_cast<std::uint32_t>(microseconds) * (clock_hz / 1'000'000) +
         static_cast<std::uint8_t>(fake_logits(input)[0]);
}

Clock::TimePoint FakeBoard::next_output() const {
  return sent.empty() ? Clock::TimePoint::max() : sent.front().at;
}

Result<std::size_t> FakeLink::read(std::span<std::byte> buffer, std::chrono::milliseconds timeout) {
  const Clock::TimePoint until = clock_.now() + timeout;
  board_.run_until(clock_.now(), waiting_);
  while (waiting_.empty() && clock_.now() < until) {
    const Clock::TimePoint busy = board_.time > clock_.now() ? board_.time : until;
    clock_.advance_to(std::min({board_.next_output(), busy, until}));
    board_.run_until(clock_.now(), waiting_);
  }
  const std::size_t count = std::min(buffer.size(), waiting_.size());
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
  std::copy(waiting_.begin(), end, buffer.begin());
  waiting_.erase(waiting_.begin(), end);
  return count;
}

Status FakeLink::write(std::span<const std::byte> data) {
  board_.arrive(data);
  return {};
}

}  // namespace assay::test

namespace assay::port {

using test::board;

std::size_t receive_capacity() {
  return board->ring_capacity;
}
void initialize() {}
std::uint32_t receive_overruns() {
  return board->overruns;
}
void wait_for_input() {
  board->idle = true;
}
std::uint32_t core_clock_hz() {
  return test::clock_hz;
}

std::size_t receive(std::uint8_t* data, std::size_t capacity) {
  const std::size_t count = std::min(capacity, board->ring.size());
  std::copy_n(board->ring.begin(), count, data);
  board->ring.erase(board->ring.begin(), board->ring.begin() + static_cast<std::ptrdiff_t>(count));
  return count;
}

void transmit(const std::uint8_t* data, std::size_t size) {
  board->sent_in_quiet += board->quiet ? size : 0;
  for (std::size_t i = 0; i < size; ++i)
    board->sent.push_back({board->time, std::byte{data[i]}});
}

void begin_quiet() {
  if (!board->quiet) ++board->quiet_windows;
  board->quiet = true;
}
void end_quiet() {
  board->quiet = false;
}
bool has_cycle_counter() {
  return board->has_cycles;
}
std::uint32_t cycles() {
  return board->has_cycles ? board->cycle_count : 0;
}

std::size_t unique_id(std::uint8_t* out, std::size_t capacity) {
  const std::uint8_t id[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0};
  if (capacity < sizeof id) return 0;
  std::memcpy(out, id, sizeof id);
  return sizeof id;
}

std::size_t build_id(std::uint8_t* out, std::size_t capacity) {
  if (capacity < 20) return 0;
  std::memset(out, 0xB1, 20);
  return 20;
}

std::uint32_t stack_high_water() {
  return board->stack;
}

std::uint32_t peak_resident_kib() {
  return board->resident_kib;
}

}  // namespace assay::port

namespace assay::model {

using test::board;

const std::size_t input_size = test::fake_input_size;
const std::size_t output_size = test::fake_output_size;
const std::uint8_t input_element = 1;
const std::uint8_t output_element = 1;
const std::uint8_t model_hash[32] = {0x00, 0x01, 0xFE, 0xFF};

std::int8_t* input() {
  return board->arena.data();
}
const std::int8_t* output() {
  return board->logits.data();
}

void run() {
  board->cycle_count += board->cycles_of(board->arena.data());
  board->logits = test::fake_logits(board->arena.data());
  board->arena.fill(0x55);  // an arena is reused: the input is gone after an inference
  board->time += board->inference_time;
  ++board->inferences;
}

}  // namespace assay::model
