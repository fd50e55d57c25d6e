// One virtual board: a chip, its memories and peripherals, the crystal and UART wiring of its board
// type, power, and the thread it runs on. Other threads get at it through Board::Access.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "boards/virtual/debug_port.hpp"
#include "boards/virtual/flash.hpp"
#include "boards/virtual/memory.hpp"
#include "boards/virtual/processor.hpp"
#include "boards/virtual/pty.hpp"
#include "boards/virtual/rcc.hpp"
#include "boards/virtual/usart.hpp"
#include "boards/virtual/wake_event.hpp"
#include "harness/core/board_type.hpp"
#include "harness/core/clock.hpp"

namespace assay::virtual_board {

/// Which board to build.
struct BoardSpec {
  std::string name;  ///< "f405-a"
  BoardType type;
  std::string serial;  ///< of its probe
};

/// How long firmware stays hung after the `hang` fault.
enum class Hang { no, until_reset, until_power_cycle };

class Board {
 public:
  /// Errors: bad_input when a block of the part has no model, infrastructure when no pty or engine
  /// can be had. The board is powered, its flash is erased.
  static Result<std::unique_ptr<Board>> create(BoardSpec spec);
  ~Board();

  const BoardSpec& spec() const { return spec_; }
  /// Pty of the UART the board type wires up.
  const std::string& uart_path() const { return pty_->path(); }

  /// The right to touch the board while it exists: the firmware stands still at a block boundary.
  class Access {
   public:
    explicit Access(Board& board);
    ~Access();
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

    DebugPort& debug() { return *board_.debug_; }
    Processor& processor() { return *board_.processor_; }
    MemoryMap& memory() { return *board_.memory_; }
    FlashArray& flash() { return *board_.flash_array_; }
    FlashController& flash_controller() { return *board_.flash_; }
    Usart& uart() { return *board_.usart_; }
    Hertz core_clock() { return board_.rcc_->core_clock(); }

    /// Resets chip and peripherals, as the reset pin does.
    void reset() { board_.system_reset(); }
    /// Drives the reset pin; the chip starts when it is let go.
    void hold_in_reset(bool held);
    bool held_in_reset() const { return board_.held_in_reset_; }
    bool powered() const { return board_.powered_; }
    /// Whether anything answers a debugger: power is on and reaches the core.
    bool answers() const { return powered() && !(failure() && failure()->until_power_cycle); }
    /// Why the core stopped although nobody halted it; nothing: it did not.
    const std::optional<CoreFailure>& failure() const { return board_.failure_; }
    void set_power(bool on);
    bool probe_present() const { return board_.probe_present_; }
    void set_probe_present(bool present) { board_.probe_present_ = present; }
    Hang hang() const { return board_.hang_; }
    void set_hang(Hang hang) { board_.hang_ = hang; }

   private:
    Board& board_;
    std::unique_lock<std::mutex> lock_;
  };

 private:
  explicit Board(BoardSpec spec);
  Status build();
  void run();
  bool runnable() const;
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  std::optional<std::chrono::nanoseconds> time_to_next_event() const;
  void system_reset();
  void reset_if_wanted();
  void attach_watched(std::uint32_t base, std::uint32_t size, Peripheral& registers);
  void look_for_failure();

  BoardSpec spec_;
  std::atomic<std::uint32_t> attention_{0};
  WakeEvent wake_;
  std::mutex mutex_;
  std::unique_ptr<CycleModel> cycle_model_;
  std::unique_ptr<MemoryMap> memory_;
  std::unique_ptr<FlashArray> flash_array_;
  std::unique_ptr<FlashController> flash_;
  std::unique_ptr<Rcc> rcc_;
  std::vector<std::unique_ptr<Watched>> watched_;
  std::unique_ptr<Pty> pty_;
  std::unique_ptr<Processor> processor_;
  std::unique_ptr<Usart> usart_;
  std::unique_ptr<DebugPort> debug_;
  bool powered_ = true;
  bool held_in_reset_ = false;
  bool probe_present_ = true;
  bool reset_wanted_ = false;
  Hang hang_ = Hang::no;
  std::optional<CoreFailure> failure_;
  bool quit_ = false;
  std::thread thread_;
};

/// Content of the unique-id area: "VIRTUAL" and the last five characters of the probe's serial, so
/// that no figure of a virtual board can pass for silicon.
std::vector<std::uint8_t> virtual_unique_id(const std::string& serial);

}  // namespace assay::virtual_board
