#include "targets/wire/firmware_loop.hpp"

#include <cstring>

#include "targets/port/port.hpp"
#include "targets/runtime/model.hpp"

namespace assay::wire {

namespace {

void transmit(void*, const std::uint8_t* data, std::size_t size) {
  port::transmit(data, size);
}

std::size_t input_bytes() {
  return model::input_size * model::input_element;
}

std::size_t output_bytes() {
  return model::output_size * model::output_element;
}

const std::uint8_t* output() {
  return reinterpret_cast<const std::uint8_t*>(model::output());
}

}  // namespace

void FirmwareLoop::start(const char* part) {
  part_ = part;
  adopt();
  port::initialize();
}

// Apart from start(), so that the temporary writer, a block long, is off the stack before anything
// deep or any interrupt comes.
[[gnu::noinline]] void FirmwareLoop::adopt() {
  reader_ = FrameReader(frame_, sizeof frame_,
                        {reinterpret_cast<std::uint8_t*>(model::input()), input_bytes()});
  writer_ = FrameWriter(Sink{transmit, nullptr});
}

void FirmwareLoop::poll() {
  const std::size_t arrived = port::receive(chunk_, sizeof chunk_);
  if (arrived == 0) return port::wait_for_input();
  std::size_t taken = 0;
  while (taken < arrived) {
    taken += reader_.take(chunk_ + taken, arrived - taken);
    if (reader_.outcome() == FrameReader::Outcome::frame) serve(reader_.frame());
    if (reader_.outcome() == FrameReader::Outcome::damaged) ++damaged_;
  }
}

void FirmwareLoop::serve(const Frame& frame) {
  if (is_answer(frame.type)) return;
  if (frame.type == Type::hello) return serve_hello(frame);
  if (frame.type == Type::poll) return serve_state(frame);
  if (nonce_ == 0) return send_error(frame.sequence, ErrorCode::no_session, 0);
  if (has_input(frame.type)) return serve_input(frame);
  if (frame.type == Type::echo) return serve_echo(frame);
  send_error(frame.sequence, ErrorCode::unknown_type, static_cast<std::uint8_t>(frame.type));
}

void FirmwareLoop::serve_hello(const Frame& frame) {
  constexpr std::size_t hello_size = 6;
  // Another version's hello may be longer; only its length must let us read the nonce.
  if (frame.size < hello_size) return send_error(frame.sequence, ErrorCode::wrong_size, hello_size);
  nonce_ = get_u32(frame.payload + 2);
  damaged_ = 0;
  overruns_at_hello_ = port::receive_overruns();
  timing_kept_ = false;

  writer_.begin(Type::hello_answer, frame.sequence);
  writer_.put_u16(version);
  writer_.put_u32(nonce_);
  writer_.put_u32(static_cast<std::uint32_t>(port::receive_capacity() - ring_reserve));
  writer_.put_u32(port::core_clock_hz());
  writer_.put_u32(static_cast<std::uint32_t>(model::input_size));
  writer_.put_u32(static_cast<std::uint32_t>(model::output_size));
  writer_.put(model::model_hash, sizeof model::model_hash);
  put_counted(part_, std::strlen(part_));
  std::uint8_t id[32];
  put_counted(id, port::unique_id(id, sizeof id));
  put_counted(id, port::build_id(id, sizeof id));
  writer_.put_u8(model::input_element);
  writer_.put_u8(model::output_element);
  writer_.end();
}

void FirmwareLoop::serve_state(const Frame& frame) {
  writer_.begin(Type::state, frame.sequence);
  writer_.put_u32(nonce_);
  writer_.put_u32(damaged_);
  writer_.put_u32(port::receive_overruns() - overruns_at_hello_);
  writer_.end();
}

void FirmwareLoop::serve_input(const Frame& frame) {
  const std::size_t expected = input_head + input_bytes();
  if (frame.size != expected)
    return send_error(frame.sequence, ErrorCode::wrong_size, static_cast<std::uint32_t>(expected));
  return frame.type == Type::sample ? serve_sample(frame) : serve_measure(frame);
}

void FirmwareLoop::serve_sample(const Frame& frame) {
  const std::uint32_t before = port::cycles();
  model::run();
  last_cycles_ = port::cycles() - before;
  writer_.begin(Type::logits, frame.sequence);
  writer_.put(frame.payload, input_head);
  writer_.put(output(), output_bytes());
  writer_.end();
}

void FirmwareLoop::serve_measure(const Frame& frame) {
  const std::uint32_t id = get_u32(frame.payload);
  if (timing_kept_ && id == timing_id_) return send_timing(frame.sequence);
  writer_.begin(Type::measuring, frame.sequence);
  writer_.put_u32(id);
  writer_.put_u32(last_cycles_);
  writer_.end();

  measure();
  timing_id_ = id;
  timing_kept_ = true;
  send_timing(frame.sequence);
}

void FirmwareLoop::measure() {
  port::begin_quiet();
  const std::uint32_t before = port::cycles();
  port::mark_begin();
  model::run();
  port::mark_end();
  timing_cycles_ = last_cycles_ = port::cycles() - before;
  port::end_quiet();
}

void FirmwareLoop::send_timing(std::uint16_t sequence) {
  const std::uint32_t stack = port::stack_high_water();
  std::uint8_t flags = 0;
  if (port::has_cycle_counter()) flags |= timing_has_cycles;
  if (stack != 0) flags |= timing_has_stack;
  const std::uint32_t resident = port::peak_resident_kib();
  if (resident != 0) flags |= timing_has_resident;
  writer_.begin(Type::timing, sequence);
  writer_.put_u32(timing_id_);
  writer_.put_u8(flags);
  writer_.put_u32(stack);
  writer_.put_u32(port::receive_overruns() - overruns_at_hello_);
  if (flags & timing_has_cycles) writer_.put_u32(timing_cycles_);
  if (flags & timing_has_resident) writer_.put_u32(resident);
  writer_.end();
}

void FirmwareLoop::serve_echo(const Frame& frame) {
  writer_.begin(Type::echo_answer, frame.sequence);
  writer_.put(frame.payload, frame.size);
  writer_.end();
}

void FirmwareLoop::send_error(std::uint16_t sequence, ErrorCode code, std::uint32_t detail) {
  writer_.begin(Type::error, sequence);
  writer_.put_u8(static_cast<std::uint8_t>(code));
  writer_.put_u32(detail);
  writer_.end();
}

void FirmwareLoop::put_counted(const void* data, std::size_t size) {
  writer_.put_u8(static_cast<std::uint8_t>(size));
  writer_.put(static_cast<const std::uint8_t*>(data), size);
}

}  // namespace assay::wire
