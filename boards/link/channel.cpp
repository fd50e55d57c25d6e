#include "boards/link/channel.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace assay {

namespace {

constexpr std::chrono::milliseconds read_slice{50};  // how late a stop may be noticed
constexpr std::size_t hello_answer_limit = 1024;     // the longest payload before a session exists

constexpr const char* was_reset = "was reset in the middle of the session: check its power";

const char* meaning(std::uint8_t code) {
  switch (static_cast<wire::ErrorCode>(code)) {
    case wire::ErrorCode::unknown_type:
      return "does not know its type";
    case wire::ErrorCode::wrong_size:
      return "expects another payload size";
    case wire::ErrorCode::no_session:
      return "knows no session";
  }
  return "gave an unknown error code";
}

void append(void* context, const std::uint8_t* data, std::size_t size) {
  auto& bytes = *static_cast<std::vector<std::uint8_t>*>(context);
  bytes.insert(bytes.end(), data, data + size);
}

}  // namespace

Channel::Channel(Link& link, LinkOptions options)
    : link_(&link), options_(std::move(options)), arrived_(4096) {
  establish(0, hello_answer_limit, 0);
}

void Channel::establish(std::size_t window, std::size_t max_answer, std::uint32_t nonce) {
  window_ = window;
  nonce_ = nonce;
  frame_buffer_.resize(wire::frame_head + max_answer + wire::frame_tail);
  reader_ = wire::FrameReader(frame_buffer_.data(), frame_buffer_.size());
}

std::uint16_t Channel::write_frame(wire::Type type,
                                   const std::function<void(wire::FrameWriter&)>& write_payload) {
  outgoing_.clear();
  wire::FrameWriter writer(wire::Sink{append, &outgoing_});
  writer.begin(type, ++sequence_);
  if (write_payload) write_payload(writer);
  writer.end();
  return sequence_;
}

Status Channel::flush() {
  return link_->write(std::as_bytes(std::span(outgoing_)));
}

Result<std::uint16_t> Channel::send_uncredited(
    wire::Type type, const std::function<void(wire::FrameWriter&)>& write_payload) {
  const std::uint16_t sequence = write_frame(type, write_payload);
  ASSAY_CHECK(flush());
  return sequence;
}

Result<std::optional<wire::Frame>> Channel::next_frame(Clock::TimePoint until) {
  using Outcome = wire::FrameReader::Outcome;
  for (bool late = false;;) {
    while (arrived_used_ < arrived_size_) {
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(arrived_.data());
      arrived_used_ += reader_.take(bytes + arrived_used_, arrived_size_ - arrived_used_);
      // Before the session, broken frames are boot noise.
      if (reader_.outcome() == Outcome::damaged && nonce_ != 0) ++counters_.damaged_frames;
      if (reader_.outcome() == Outcome::frame && wire::is_answer(reader_.frame().type))
        return reader_.frame();
    }
    if (options_.stop.stop_requested())
      return fail(ErrorKind::interrupted,
                  fmt::format("interrupted while talking to {}", link_->name()));
    if (late) return std::nullopt;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - options_.clock->now());
    late = left.count() <= 0;  // one last look, in case this program itself was held up
    ASSAY_TRY(arrived_size_, link_->read(arrived_, late ? std::chrono::milliseconds(0)
                                                        : std::min(left, read_slice)));
    arrived_used_ = 0;
    bytes_received_ += arrived_size_;
  }
}

Status Channel::exchange(const Requests& requests) {
  Batch batch{&requests, std::vector<std::uint8_t>(requests.count), {}};
  expect_answer_after(std::chrono::nanoseconds(0));
  while (batch.done < requests.count) {
    ASSAY_CHECK(send_what_fits(batch));
    ASSAY_TRY(const std::optional<wire::Frame> frame, next_frame(std::min(poll_at_, give_up_at_)));
    if (frame)
      ASSAY_CHECK(settle(batch, *frame));
    else
      ASSAY_CHECK(on_silence(batch));
  }
  return {};
}

Status Channel::send_what_fits(Batch& batch) {
  while (!batch.to_repeat.empty() || batch.next < batch.requests->count) {
    const bool repeat = !batch.to_repeat.empty();
    const std::size_t i = repeat ? batch.to_repeat.front() : batch.next;
    const std::size_t size = wire::encoded_bound(batch.requests->payload_size(i));
    if (!has_credit(size)) return {};
    if (repeat)
      batch.to_repeat.pop_front();
    else
      ++batch.next;
    ASSAY_CHECK(send_request(batch, i));
  }
  return {};
}

/// The oldest request is being read or served, and none behind it leaves the ring before.
bool Channel::has_credit(std::size_t size) const {
  const auto oldest = std::ranges::find_if(
      outstanding_, [](const Outstanding& sent) { return sent.request.has_value(); });
  return oldest == outstanding_.end() || in_flight_ - oldest->size + size <= window_;
}

Status Channel::send_request(Batch& batch, std::size_t i) {
  const Requests& requests = *batch.requests;
  if (batch.attempts[i] >= options_.max_attempts)
    return trouble(
        fmt::format("lost {} {} of {} {} times: the line is too noisy; check cable and "
                    "baud rate",
                    requests.noun, i, requests.count, batch.attempts[i]));
  if (batch.attempts[i]++ > 0) ++counters_.retransmissions;
  ++counters_.frames_sent;
  const std::size_t size = wire::encoded_bound(requests.payload_size(i));
  const std::uint16_t sequence = write_frame(
      requests.type, [&](wire::FrameWriter& writer) { requests.write_payload(i, writer); });
  outstanding_.push_back({sequence, i, size});
  in_flight_ += size;
  return flush();
}

Status Channel::settle(Batch& batch, const wire::Frame& frame) {
  const auto answered =
      std::find_if(outstanding_.begin(), outstanding_.end(),
                   [&](const Outstanding& sent) { return sent.sequence == frame.sequence; });
  if (answered == outstanding_.end()) return {};  // a repeated answer

  for (auto sent = outstanding_.begin(); sent != answered; ++sent) {
    in_flight_ -= sent->size;
    if (sent->request)
      batch.to_repeat.push_back(*sent->request);
    else
      --unanswered_polls_;
  }
  outstanding_.erase(outstanding_.begin(), answered);
  expect_answer_after(std::chrono::nanoseconds(0));

  const Outstanding sent = outstanding_.front();
  if (sent.request) {
    if (frame.type == wire::Type::error) return refusal(batch, *sent.request, frame);
    ASSAY_TRY(const auto more, batch.requests->take(*sent.request, frame));
    if (more) return expect_answer_after(*more), Status();
    ++batch.done;
  } else {
    --unanswered_polls_;
    ASSAY_CHECK(take_state(frame));
  }
  in_flight_ -= sent.size;
  outstanding_.pop_front();
  return {};
}

Status Channel::take_state(const wire::Frame& frame) {
  constexpr std::size_t state_size = 12;
  if (frame.type != wire::Type::state || frame.size != state_size)
    return trouble("answered a poll with something else: rebuild the firmware");
  if (wire::get_u32(frame.payload) != nonce_) return trouble(was_reset);
  counters_.device_damaged = wire::get_u32(frame.payload + 4);
  counters_.device_overruns = wire::get_u32(frame.payload + 8);
  return {};
}

tl::unexpected<Error> Channel::refusal(const Batch& batch, std::size_t i,
                                       const wire::Frame& frame) const {
  constexpr std::size_t error_size = 5;
  if (frame.size != error_size) return trouble("sent a malformed error: rebuild the firmware");
  if (frame.payload[0] == static_cast<std::uint8_t>(wire::ErrorCode::no_session))
    return trouble(was_reset);
  const std::uint32_t detail = wire::get_u32(frame.payload + 1);
  return trouble(fmt::format("refused {} {} of {}: it {} (code {}, detail {})",
                             batch.requests->noun, i, batch.requests->count,
                             meaning(frame.payload[0]), frame.payload[0], detail));
}

Status Channel::on_silence(const Batch& batch) {
  const Clock::TimePoint now = options_.clock->now();
  if (now >= give_up_at_)
    return trouble(fmt::format("stopped answering: nothing for {:g} s after {} of {} {}s; {}",
                               std::chrono::duration<double>(options_.silence).count(), batch.done,
                               batch.requests->count, batch.requests->noun, options_.on_silence));
  if (unanswered_polls_ == wire::max_unanswered_polls) {
    poll_at_ = give_up_at_;
    return {};
  }
  outstanding_.push_back({write_frame(wire::Type::poll, {}), std::nullopt, 0});
  ++unanswered_polls_;
  ++counters_.polls;
  poll_at_ = now + options_.poll_after * (1 << unanswered_polls_);
  return flush();
}

void Channel::expect_answer_after(std::chrono::nanoseconds quiet) {
  const Clock::TimePoint from = options_.clock->now() + quiet;
  poll_at_ = from + options_.poll_after;
  give_up_at_ = from + options_.silence;
}

tl::unexpected<Error> Channel::trouble(std::string what) const {
  return fail(ErrorKind::infrastructure, fmt::format("{} {}", link_->name(), what));
}

}  // namespace assay
