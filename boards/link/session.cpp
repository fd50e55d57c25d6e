#include "boards/link/session.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <random>

#include "boards/link/fields.hpp"

namespace assay {

namespace {

using Wait = std::optional<std::chrono::nanoseconds>;

constexpr std::size_t largest_output = 1 << 24;  // beyond that a hello is nonsense
constexpr std::chrono::milliseconds first_hello_again{100};
constexpr std::chrono::milliseconds slowest_hello{1000};

tl::unexpected<Error> trouble(const Link& link, const std::string& what) {
  return fail(ErrorKind::infrastructure, fmt::format("{} {}", link.name(), what));
}

std::uint32_t random_nonce() {
  std::random_device entropy;
  return std::uniform_int_distribution<std::uint32_t>(1)(entropy);
}

/// The hello answer, checked for what the rest of the session relies on.
Result<Hello> parse_hello(const Link& link, const wire::Frame& frame) {
  Fields fields(frame);
  fields.u16();  // version and nonce were looked at by the caller
  fields.u32();
  Hello hello;
  hello.window = fields.u32();
  hello.core_clock = Hertz(fields.u32());
  hello.input_size = fields.u32();
  hello.output_size = fields.u32();
  hello.model_hash = fmt::format("{:02x}", fmt::join(fields.bytes(32), ""));
  const std::vector<std::uint8_t> part = fields.counted();
  hello.part.assign(part.begin(), part.end());
  hello.unique_id = fields.counted();
  hello.build_id = fields.counted();
  const auto input_element = element_of_code(fields.u8());
  const auto output_element = element_of_code(fields.u8());
  hello.input_element = input_element.value_or(Element::int8);
  hello.output_element = output_element.value_or(Element::int8);
  const bool sensible = input_element && output_element && hello.output_size > 0 &&
                        hello.output_size <= largest_output &&
                        hello.window >= wire::encoded_bound(wire::max_plain_payload);
  if (!fields.complete() || !sensible)
    return trouble(link, "sent a malformed hello: rebuild the firmware");
  return hello;
}

/// Nothing when the frame is not the hello answer waited for.
Result<std::optional<Hello>> take_hello(const Link& link, const wire::Frame& frame,
                                        std::uint32_t nonce) {
  if (frame.type != wire::Type::hello_answer || frame.size < 2) return std::nullopt;
  const unsigned version = wire::get_u16(frame.payload);
  if (version != wire::version)
    return trouble(link, fmt::format("speaks wire format version {}, this program speaks version "
                                     "{}: rebuild and flash the firmware",
                                     version, wire::version));
  if (frame.size < 6 || wire::get_u32(frame.payload + 2) != nonce) return std::nullopt;
  ASSAY_TRY(Hello hello, parse_hello(link, frame));
  return hello;
}

tl::unexpected<Error> no_answer(const Channel& channel, const Link& link,
                                std::chrono::milliseconds deadline) {
  const double seconds = std::chrono::duration<double>(deadline).count();
  if (channel.bytes_received() == 0)
    return fail(ErrorKind::infrastructure,
                fmt::format("no answer from {} within {:g} s: {}", link.name(), seconds,
                            channel.options().on_silence));
  return trouble(link, fmt::format("sent {} bytes but no frame of ours within {:g} s: check the "
                                   "baud rate and that the firmware is flashed",
                                   channel.bytes_received(), seconds));
}

Result<Hello> greet(Channel& channel, std::uint32_t nonce, std::chrono::milliseconds deadline) {
  const Link& link = channel.link();
  const Clock& clock = *channel.options().clock;
  const Clock::TimePoint end = clock.now() + deadline;
  for (std::chrono::milliseconds patience = first_hello_again; clock.now() < end;
       patience = std::min(patience * 2, slowest_hello)) {
    ASSAY_CHECK(channel.send_uncredited(wire::Type::hello, [&](wire::FrameWriter& writer) {
      writer.put_u16(wire::version);
      writer.put_u32(nonce);
    }));
    const Clock::TimePoint again = std::min(end, clock.now() + patience);
    while (true) {
      ASSAY_TRY(const std::optional<wire::Frame> frame, channel.next_frame(again));
      if (!frame) break;
      ASSAY_TRY(const std::optional<Hello> hello, take_hello(link, *frame, nonce));
      if (hello) return *hello;
    }
  }
  return no_answer(channel, link, deadline);
}

/// Adds what one window found.
Status take_timing(const Link& link, const wire::Frame& frame, std::uint32_t id, Timing& timing) {
  Fields fields(frame);
  const bool same_id = fields.u32() == id;
  const unsigned flags = fields.u8();
  const std::uint32_t stack = fields.u32();
  if (flags & wire::timing_has_stack) timing.stack_high_water = Bytes(stack);
  timing.receive_overruns = fields.u32();
  if (flags & wire::timing_has_cycles) {
    if (!timing.cycles) timing.cycles.emplace();
    timing.cycles->push_back(Cycles(fields.u32()));
  }
  if (flags & wire::timing_has_resident)
    timing.peak_resident = Bytes(std::uint64_t{1024} * fields.u32());
  if (!fields.complete() || !same_id)
    return trouble(link, "sent a malformed timing: rebuild the firmware");
  ++timing.inferences;
  return {};
}

/// How long a window should take, from the cycles of the inference before it.
std::chrono::nanoseconds expected_time(std::uint32_t cycles, Hertz clock) {
  if (clock.count() == 0) return std::chrono::nanoseconds(0);
  const double seconds = static_cast<double>(cycles) / static_cast<double>(clock.count());
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(seconds));
}

const std::uint8_t* as_u8(ElementBytes values) {
  return reinterpret_cast<const std::uint8_t*>(values.data());
}

/// Hands answers out in order of index although they come in any order.
class InOrder {
 public:
  explicit InOrder(const Session::OnLogits& deliver) : deliver_(deliver) {}
  void take(std::size_t index, ElementBytes logits) {
    if (index != next_) {
      early_.emplace(index, std::vector<std::int8_t>(logits.begin(), logits.end()));
      return;
    }
    deliver_(next_++, logits);
    for (auto found = early_.find(next_); found != early_.end(); found = early_.find(next_)) {
      deliver_(next_++, found->second);
      early_.erase(found);
    }
  }

 private:
  const Session::OnLogits& deliver_;
  std::size_t next_ = 0;
  std::map<std::size_t, std::vector<std::int8_t>> early_;
};

}  // namespace

Result<Session> Session::open(Link& link, std::chrono::milliseconds deadline, LinkOptions options) {
  auto channel = std::make_unique<Channel>(link, std::move(options));
  const std::uint32_t nonce = random_nonce();
  ASSAY_TRY(Hello hello, greet(*channel, nonce, deadline));
  constexpr std::size_t answer_head = 4;
  const std::size_t longest_answer =
      std::max(hello.output_bytes() + answer_head, wire::max_plain_payload);
  channel->establish(hello.window, longest_answer, nonce);
  return Session(std::move(channel), std::move(hello), nonce);
}

Status Session::stream(ElementBytes samples, const OnLogits& on_logits) {
  const std::size_t size = hello_.input_bytes();
  if (size == 0 || samples.size() % size != 0)
    return fail(ErrorKind::bad_input,
                fmt::format("{} bytes of input are no whole number of samples of {} bytes",
                            samples.size(), size));
  InOrder in_order(on_logits);
  Requests requests;
  requests.type = wire::Type::sample;
  requests.count = samples.size() / size;
  requests.noun = "sample";
  requests.payload_size = [&](std::size_t) { return wire::input_head + size; };
  requests.write_payload = [&](std::size_t i, wire::FrameWriter& writer) {
    writer.put_u32(static_cast<std::uint32_t>(i));
    writer.put(as_u8(samples.subspan(i * size, size)), size);
  };
  requests.take = [&](std::size_t i, const wire::Frame& frame) -> Result<Wait> {
    if (frame.type != wire::Type::logits || frame.size != 4 + hello_.output_bytes() ||
        wire::get_u32(frame.payload) != static_cast<std::uint32_t>(i))
      return trouble(channel_->link(), "sent malformed logits: rebuild the firmware");
    in_order.take(i, {reinterpret_cast<const std::int8_t*>(frame.payload) + 4, frame.size - 4});
    return std::nullopt;
  };
  return channel_->exchange(requests);
}

Result<Timing> Session::measure(ElementBytes sample, std::size_t inferences) {
  if (sample.size() != hello_.input_bytes() || inferences == 0)
    return fail(ErrorKind::bad_input,
                fmt::format("a measurement takes one sample of {} bytes and at least one "
                            "inference, got {} bytes and {} inferences",
                            hello_.input_bytes(), sample.size(), inferences));
  ASSAY_CHECK(stream(sample, [](std::size_t, ElementBytes) {}));  // warms up
  Timing timing;
  for (std::size_t i = 0; i < inferences; ++i)
    ASSAY_CHECK(measure_once(sample, timing));
  return timing;
}

/// One window, added to `timing`.
Status Session::measure_once(ElementBytes sample, Timing& timing) {
  const std::uint32_t id = ++measurement_;
  Requests requests;
  requests.type = wire::Type::measure;
  requests.count = 1;
  requests.noun = "measurement";
  requests.payload_size = [&](std::size_t) { return wire::input_head + sample.size(); };
  requests.write_payload = [&](std::size_t, wire::FrameWriter& writer) {
    writer.put_u32(id);
    writer.put(as_u8(sample), sample.size());
  };
  requests.take = [&](std::size_t, const wire::Frame& frame) -> Result<Wait> {
    if (frame.type == wire::Type::measuring && frame.size == 8)
      return 2 * expected_time(wire::get_u32(frame.payload + 4), hello_.core_clock);
    if (frame.type != wire::Type::timing)
      return trouble(channel_->link(),
                     "answered a measurement with something else: rebuild the "
                     "firmware");
    ASSAY_CHECK(take_timing(channel_->link(), frame, id, timing));
    return std::nullopt;
  };
  return channel_->exchange(requests);
}

Result<std::vector<std::uint8_t>> Session::echo(std::span<const std::uint8_t> bytes) {
  // Three frames waiting keep the line busy while the device turns one around.
  const std::size_t share = hello_.window / 3;
  const std::size_t overhead = wire::encoded_bound(share) - share;
  const std::size_t piece = std::min(wire::max_plain_payload, share - overhead);
  const auto piece_of = [&](std::size_t i) {
    const std::size_t from = i * piece;
    return bytes.subspan(from, std::min(piece, bytes.size() - from));
  };
  std::vector<std::uint8_t> returned(bytes.size());
  Requests requests;
  requests.type = wire::Type::echo;
  requests.count = (bytes.size() + piece - 1) / piece;
  requests.noun = "echo";
  requests.payload_size = [&](std::size_t i) { return piece_of(i).size(); };
  requests.write_payload = [&](std::size_t i, wire::FrameWriter& writer) {
    writer.put(piece_of(i).data(), piece_of(i).size());
  };
  requests.take = [&](std::size_t i, const wire::Frame& frame) -> Result<Wait> {
    if (frame.type != wire::Type::echo_answer || frame.size != piece_of(i).size())
      return trouble(channel_->link(), "echoed another number of bytes: rebuild the firmware");
    std::copy_n(frame.payload, frame.size,
                returned.begin() + static_cast<std::ptrdiff_t>(i * piece));
    return std::nullopt;
  };
  ASSAY_CHECK(channel_->exchange(requests));
  return returned;
}

}  // namespace assay
