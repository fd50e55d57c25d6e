// Frames over a link, from the host's side (targets/wire/FORMAT.md): sequence numbers, credits,
// polls on silence, and the rule that an answer settles every frame before it. What the frames mean
// is session.hpp's business. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <stop_token>
#include <string_view>
#include <vector>

#include "boards/link/link.hpp"
#include "harness/core/clock.hpp"
#include "targets/wire/frame.hpp"

namespace assay {

/// How patient a conversation is.
struct LinkOptions {
  const Clock* clock = &system_clock();
  std::stop_token stop;                       ///< Ctrl-C; the call under way returns `interrupted`
  std::chrono::milliseconds poll_after{250};  ///< first poll after this long without an answer
  std::chrono::milliseconds silence{10'000};  ///< give up after this long without an answer
  std::string_view on_silence = "check cable and power";  ///< what one does about it
  int max_attempts = 20;  ///< sendings of one frame before giving up
};

/// What went wrong and was repaired, since the session began.
struct LinkCounters {
  std::uint64_t frames_sent = 0;  ///< requests, retransmissions included, polls not
  std::uint64_t retransmissions = 0;
  std::uint64_t polls = 0;
  std::uint64_t damaged_frames = 0;   ///< dropped by the host
  std::uint64_t device_damaged = 0;   ///< dropped by the device, as far as it could tell us
  std::uint64_t device_overruns = 0;  ///< bytes the device had no room for, likewise
};

/// A batch of requests of one type, sent as far ahead as credits allow.
struct Requests {
  wire::Type type{};
  std::size_t count = 0;
  const char* noun = "";  ///< for messages: "sample"
  /// Writes the payload of request `i`; called again for a retransmission.
  std::function<void(std::size_t i, wire::FrameWriter&)> write_payload;
  /// Bytes write_payload(i) writes.
  std::function<std::size_t(std::size_t i)> payload_size;
  /// Takes an answer to request `i`. Returns nothing when the request is done, or how much longer
  /// the device is expected to be silent before the next answer to it.
  std::function<Result<std::optional<std::chrono::nanoseconds>>(std::size_t i, const wire::Frame&)>
      take;
};

/// One end of the wire.
class Channel {
 public:
  Channel(Link& link, LinkOptions options);

  /// Sends a frame outside of all credit (hello); returns its sequence number. Errors: the link's.
  Result<std::uint16_t> send_uncredited(
      wire::Type type, const std::function<void(wire::FrameWriter&)>& write_payload);
  /// The next good frame for the host, or nothing when `until` passes first; it is valid until the
  /// next call. Errors: interrupted, the link's.
  Result<std::optional<wire::Frame>> next_frame(Clock::TimePoint until);
  /// Opens the window after a hello: credit in bytes, the longest payload an answer may have, and
  /// the nonce states must repeat.
  void establish(std::size_t window, std::size_t max_answer, std::uint32_t nonce);
  /// Sends every request and takes every answer. Errors: interrupted; infrastructure (silence,
  /// reset of the device, refusals, a frame lost max_attempts times); those of `take`.
  Status exchange(const Requests& requests);

  LinkCounters& counters() { return counters_; }
  const LinkOptions& options() const { return options_; }
  Link& link() { return *link_; }
  std::uint64_t bytes_received() const { return bytes_received_; }

 private:
  struct Outstanding {
    std::uint16_t sequence;
    std::optional<std::size_t> request;  // nothing: a poll
    std::size_t size;                    // bytes on the link
  };
  struct Batch {
    const Requests* requests;
    std::vector<std::uint8_t> attempts;
    std::deque<std::size_t> to_repeat;
    std::size_t next = 0;
    std::size_t done = 0;
  };

  std::uint16_t write_frame(wire::Type type,
                            const std::function<void(wire::FrameWriter&)>& write_payload);
  Status flush();
  Status send_what_fits(Batch& batch);
  bool has_credit(std::size_t size) const;
  Status send_request(Batch& batch, std::size_t i);
  Status settle(Batch& batch, const wire::Frame& frame);
  Status take_state(const wire::Frame& frame);
  tl::unexpected<Error> refusal(const Batch& batch, std::size_t i, const wire::Frame& frame) const;
  Status on_silence(const Batch& batch);
  void expect_answer_after(std::chrono::nanoseconds quiet);
  tl::unexpected<Error> trouble(std::string what) const;

  Link* link_;
  LinkOptions options_;
  LinkCounters counters_;
  std::uint16_t sequence_ = 0;
  std::uint32_t nonce_ = 0;
  std::size_t window_ = 0;
  std::deque<Outstanding> outstanding_;
  std::size_t in_flight_ = 0;  // bytes of outstanding_, polls not
  std::size_t unanswered_polls_ = 0;
  Clock::TimePoint poll_at_{};
  Clock::TimePoint give_up_at_{};
  std::vector<std::uint8_t> outgoing_;
  std::vector<std::uint8_t> frame_buffer_;
  wire::FrameReader reader_;
  std::vector<std::byte> arrived_;
  std::size_t arrived_size_ = 0;
  std::size_t arrived_used_ = 0;
  std::uint64_t bytes_received_ = 0;
};

}  // namespace assay
