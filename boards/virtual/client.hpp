// Starts virtual-board and talks to its control socket. Knows nothing of the engine behind it.
// VirtualBoards is for one thread; two threads need a lock around it.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/core/json.hpp"
#include "harness/core/process.hpp"
#include "harness/core/result.hpp"

namespace assay {

/// A board to stand in for.
struct VirtualBoardSpec {
  std::string name;    ///< unique within one process, "f405-a"
  std::string type;    ///< a board type, or a part (its default type)
  std::string serial;  ///< of the probe; unique within one process
};

/// A board that is there.
struct VirtualBoard {
  std::string name;
  std::string type;
  std::string part;
  std::string serial;
  std::filesystem::path uart;  ///< a pty; open it raw, do not flush it
};

/// What the firmware executed between one pair of markers. Instructions are counted, exact;
/// cycles are those of the core's cycle model.
struct ExecutionWindow {
  std::uint64_t instructions = 0;
  std::uint64_t alu = 0;
  std::uint64_t load = 0;
  std::uint64_t store = 0;
  std::uint64_t multiply = 0;
  std::uint64_t branch = 0;
  std::uint64_t other = 0;
  std::uint64_t words_loaded = 0;  ///< LDR, LDRB and LDRH one, LDM as many as it names
  std::uint64_t cycles = 0;
};

class VirtualBoards {
 public:
  /// Starts one process for all boards and waits until they are ready. The process ends with this
  /// object, and with the thread that called start. Errors: infrastructure when it cannot be
  /// started or does not come up (with its own words), bad_input for an unknown board type.
  static Result<VirtualBoards> start(const std::vector<VirtualBoardSpec>& boards);

  VirtualBoards(VirtualBoards&& other) noexcept;
  VirtualBoards& operator=(VirtualBoards&& other) noexcept;
  ~VirtualBoards();

  /// For OpenOCD: `st-link backend tcp PORT`; it connects to 127.0.0.1.
  std::uint16_t probe_port() const { return probe_port_; }
  const std::vector<VirtualBoard>& boards() const { return boards_; }
  /// The board of that name, or nullptr.
  const VirtualBoard* find(const std::string& name) const;
  pid_t pid() const { return process_.pid(); }

  /// Windows closed since the last call for this board, or all since it was created.
  Result<std::vector<ExecutionWindow>> counts(const std::string& board, bool all = false);
  /// State, counters and fault registers, as documented in CONTROL.md.
  Result<Json> status(const std::string& board);
  /// Injects a fault; `fault` is a line of the table in CONTROL.md without "request" and "board":
  /// {"fault": "write_protect", "on": true}. Errors: bad_input when the board refuses it.
  Status inject(const std::string& board, Json fault);
  Status reset(const std::string& board);
  Status set_power(const std::string& board, bool on);

 private:
  explicit VirtualBoards(ChildProcess process) : process_(std::move(process)) {}
  Status read_ready_line(const std::filesystem::path& errors);
  Status connect_control(const std::filesystem::path& path);
  Result<Json> request(const Json& request);

  ChildProcess process_;
  std::uint16_t probe_port_ = 0;
  std::vector<VirtualBoard> boards_;
  int control_ = -1;
  std::string received_;
};

}  // namespace assay
