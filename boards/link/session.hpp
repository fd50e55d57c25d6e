// A conversation with the firmware on a board, in the wire format (targets/wire/FORMAT.md). Lost,
// damaged and repeated frames are repaired below this interface; what it returns is right or an
// error. One thread. After an error the session is over: open a new one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "boards/link/channel.hpp"
#include "harness/core/element.hpp"
#include "harness/core/units.hpp"

namespace assay {

/// Who answered: the firmware's account of itself.
struct Hello {
  std::string part;                     ///< "stm32f405"
  Hertz core_clock;                     ///< actually running
  std::vector<std::uint8_t> unique_id;  ///< empty on parts without one
  std::vector<std::uint8_t> build_id;   ///< the ELF's build-id note
  std::string model_hash;               ///< SHA-256 of the ONNX file, 64 hex digits
  std::size_t input_size = 0;           ///< elements of a sample
  std::size_t output_size = 0;          ///< logits
  Element input_element = Element::int8;
  Element output_element = Element::int8;
  std::size_t window = 0;  ///< credit, bytes on the link

  std::size_t input_bytes() const { return input_size * size_of(input_element); }
  std::size_t output_bytes() const { return output_size * size_of(output_element); }
};

/// What the quiet windows found.
struct Timing {
  std::size_t inferences = 0;
  std::optional<std::vector<Cycles>> cycles;  ///< one an inference; absent: the part cannot count
  std::optional<Bytes> stack_high_water;      ///< deepest stack since reset; absent: unknown
  std::optional<Bytes> peak_resident;         ///< of the process; absent: there is none
  std::uint32_t receive_overruns = 0;         ///< bytes the device lost since the hello
};

class Session {
 public:
  /// Logits of sample `index`, in order of index, valid during the call: output_bytes() bytes.
  using OnLogits = std::function<void(std::size_t index, ElementBytes logits)>;

  /// Says hello until the board answers, past any boot noise. Errors: infrastructure (no answer
  /// within `deadline`, noise only, another protocol version, the link's own), interrupted. The
  /// link must outlive the session.
  static Result<Session> open(Link& link, std::chrono::milliseconds deadline,
                              LinkOptions options = {});

  const Hello& hello() const { return hello_; }

  /// Runs samples through the model, sent ahead as far as the board's credits allow. `samples`: any
  /// number of inputs of hello().input_bytes(), one behind the other. Errors: bad_input (not a
  /// whole number of samples), infrastructure, interrupted; logits handed out before stay valid.
  Status stream(ElementBytes samples, const OnLogits& on_logits);

  /// Quiet windows: one inference of `sample` to warm up, then `inferences` (at least 1) timed
  /// ones, each with receive interrupts masked. Errors: bad_input, infrastructure, interrupted.
  Result<Timing> measure(ElementBytes sample, std::size_t inferences);

  /// Sends bytes to the board and returns what came back, which is the same bytes; measures the
  /// link.
  Result<std::vector<std::uint8_t>> echo(std::span<const std::uint8_t> bytes);

  const LinkCounters& counters() { return channel_->counters(); }

 private:
  Session(std::unique_ptr<Channel> channel, Hello hello, std::uint32_t first_measurement)
      : channel_(std::move(channel)), hello_(std::move(hello)), measurement_(first_measurement) {}

  Status measure_once(ElementBytes sample, Timing& timing);

  std::unique_ptr<Channel> channel_;
  Hello hello_;
  std::uint32_t measurement_;
};

}  // namespace assay
