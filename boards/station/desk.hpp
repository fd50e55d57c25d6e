// The boards of a run, ready to be used: starts one virtual-board process for all virtual ones,
// locks a board while it is measured. Thread-safe: several threads may measure different boards.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "boards/link/session.hpp"
#include "boards/station/inventory.hpp"
#include "boards/station/linux_board.hpp"
#include "harness/core/units.hpp"

namespace assay {

class VirtualBoards;

/// What to put on a board and what it must answer.
struct MeasureRequest {
  std::filesystem::path elf;
  std::string build_id;                      ///< hex; the hello must carry it
  std::string model_hash;                    ///< SHA-256 of the ONNX file; the hello must carry it
  Hertz clock;                               ///< the hello must report it
  std::vector<std::int8_t> inputs;           ///< bytes of [samples][input]; at least one sample
  std::vector<std::int8_t> expected_logits;  ///< bytes of [samples][logits], from the host target
  std::size_t inferences = 3;                ///< timed in the quiet window
};

/// A logit that was not the host's.
struct LogitMismatch {
  std::size_t sample = 0;
  std::size_t logit = 0;
  float expected = 0;  ///< the element's number: an int8, or a float32
  float found = 0;
};

/// What a board told.
struct BoardMeasurement {
  Hello hello;
  Timing timing;
  std::size_t samples = 0;            ///< streamed
  std::size_t identical_samples = 0;  ///< with every logit identical
  std::optional<LogitMismatch> first_mismatch;
  std::optional<std::vector<Instructions>> instructions;  ///< one a timed inference; virtual boards
  std::optional<std::vector<std::uint64_t>> words_loaded;  ///< the same; LDM counts each word
  LinkCounters link;
  std::string emulator;                    ///< and its version: a virtual board under Linux
  std::optional<LinuxIdentity> computer;   ///< a real board under Linux
  std::chrono::milliseconds flash_time{};  ///< program, verify, reset
  std::chrono::milliseconds boot_time{};   ///< reset to hello
};

/// What a sample cost on a virtual board, in the window that its run marked.
struct SampleCost {
  Instructions instructions;     ///< counted
  std::optional<Cycles> cycles;  ///< modelled; absent under Linux
};

/// What a trial (targets/build/trial.hpp) told.
struct TrialCounts {
  std::vector<SampleCost> costs;   ///< one a sample
  std::vector<std::size_t> wrong;  ///< samples with other logits than expected
};

class Desk {
 public:
  /// Starts the virtual boards among `boards`; lock files go to `lock_folder`. Call it on a thread
  /// that outlives the desk: the virtual-board process ends with that thread. Errors:
  /// infrastructure.
  static Result<Desk> open(std::vector<Board> boards, std::filesystem::path lock_folder);
  Desk(Desk&&) noexcept;
  Desk& operator=(Desk&&) noexcept;
  ~Desk();

  const std::vector<Board>& boards() const;

  /// Locks the board, flashes and verifies the ELF (starts it, under Linux), checks the identity,
  /// streams the samples, takes the quiet window. Wrong logits are a finding (identical_samples <
  /// samples), not an error. Errors: infrastructure (busy board, probe, cable, power, another
  /// identity: nothing may be recorded then), bad_input (no samples, or logits of another size than
  /// the model's), interrupted.
  Result<BoardMeasurement> measure(const Board& board, const MeasureRequest& request,
                                   std::stop_token stop);

  /// Flashes a firmware whose runs mark a window each, streams the samples and tells what each one
  /// cost. Errors: those of measure; bad_input for a board that is not virtual.
  Result<TrialCounts> count_samples(const Board& board, const MeasureRequest& request,
                                    std::stop_token stop);

  /// Calls `use` with the virtual boards, for faults and power; while it runs, no other thread
  /// talks to their control socket. Errors: bad_input when the desk has none; those of `use`.
  Status with_virtual_boards(const std::function<Status(VirtualBoards&)>& use);

 private:
  struct State;
  explicit Desk(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace assay
