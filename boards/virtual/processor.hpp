// One Cortex-M core on the Unicorn engine: runs code, takes exceptions, counts, polices what the
// engine would let pass. It is driven by the board's thread and, while that one waits, by debugger
// and control threads; one at a time, under the board's lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "boards/virtual/code_map.hpp"
#include "boards/virtual/data_lines.hpp"
#include "boards/virtual/engine.hpp"
#include "boards/virtual/execution_counter.hpp"
#include "boards/virtual/flash.hpp"
#include "boards/virtual/idle_detector.hpp"
#include "boards/virtual/memory.hpp"
#include "boards/virtual/rcc.hpp"
#include "boards/virtual/system_space.hpp"
#include "boards/virtual/usart.hpp"

namespace assay::virtual_board {

/// What other threads want of a running processor; one atomic word, written from any thread.
constexpr std::uint32_t attention_input = 1;  ///< flag: bytes came to a UART, or room for output
constexpr std::uint32_t attention_access = 0x100;  ///< added by each thread that wants the lock
constexpr std::uint32_t attention_access_mask = ~0xFFu;

enum class RunState {
  running,
  sleeping,   ///< nothing can happen before input or the next event
  halted,     ///< by the debugger or a breakpoint
  locked_up,  ///< a fault inside a fault; only a reset helps
};

/// Why the debugger sees a halt (DFSR bits).
enum HaltReason : std::uint32_t { halt_request = 1, halt_breakpoint = 2, halt_vector_catch = 8 };

class Processor final : public TimeSource {
 public:
  /// The parts of the board it works with; they outlive it.
  struct Surroundings {
    const Part& part;
    MemoryMap& memory;
    FlashArray& flash;
    const Rcc& rcc;
    std::atomic<std::uint32_t>& attention;
  };
  Processor(Surroundings surroundings, const CycleModel& model, SystemSpace::Requests requests);

  /// UARTs whose interrupts it takes; once, before running.
  void connect(std::vector<Usart*> usarts) { usarts_ = std::move(usarts); }

  /// Registers and system space as after a reset, PC and SP from the vector table. The peripherals
  /// are the board's to reset.
  void reset();
  /// Runs until another thread wants access, or the state is no longer `running`.
  void run();
  /// Executes one instruction of a halted processor.
  void step();

  RunState state() const { return state_; }
  void halt(HaltReason reason);
  void resume();
  std::uint32_t take_halt_reasons(std::uint32_t mask);
  std::uint32_t halt_reasons() const { return halt_reasons_; }
  /// Lets a sleeping processor look at its interrupts again; `at_event` when the time of
  /// next_event() has come.
  void wake(bool at_event);
  std::optional<std::uint64_t> next_event() const;

  std::uint64_t cycles() const override;
  const ExecutionCounter& counter() const { return counter_; }
  ExecutionCounter& counter() { return counter_; }
  SystemSpace& system() { return system_; }

  /// Core registers as the debugger numbers them (DCRSR.REGSEL, C1.6.3).
  std::uint32_t debug_register(unsigned selector) const;
  void set_debug_register(unsigned selector, std::uint32_t value);
  std::uint32_t pc() const { return pc_; }

  /// The debugger wrote memory behind the engine's back.
  void note_debug_write(std::uint32_t address, std::uint32_t size);
  /// Interrupt lines, enables or masks changed: look at them before the next block.
  void look_at_events() { next_event_ = 0; }
  /// Hardware breakpoints of the debugger.
  void set_breakpoints(std::vector<std::uint32_t> addresses);
  /// Stops before the next block with a reset wanted; run() returns.
  void request_stop() { stop_wanted_ = true; }

 private:
  struct PendingFault {
    std::uint32_t status;   ///< CFSR bits; 0: a breakpoint
    std::uint32_t address;  ///< accessed, for BFAR
    std::uint32_t at;       ///< address of the instruction
  };

  // processor.cpp: running
  void map_memory();
  void run_engine(std::uint64_t until);
  void after_stop(uc_err error, std::uint64_t until);
  void refresh_code();
  bool must_stop();
  /// True when a byte arrived at a UART.
  bool process_events();
  bool policed(const Block& block);
  void run_up_to_policed();
  void stop_engine();
  void fall_asleep();

  /// What flash holds after a store through its controller. The engine makes the plain store too,
  /// once its hook has returned; the bytes are put back before anything can look at them.
  struct FlashStore {
    std::uint8_t* at;
    std::uint32_t size;
    std::array<std::uint8_t, 4> bytes;
  };

  // processor_hooks.cpp: the engine's callbacks
  void undo_plain_store();
  void on_block(std::uint32_t address, std::uint32_t size);
  bool on_bad_access(uc_mem_type type, std::uint32_t address);
  std::optional<std::uint32_t> instruction_accessing(std::uint32_t address) const;
  static void block_hook(uc_engine*, std::uint64_t address, std::uint32_t size, void* self);
  static void interrupt_hook(uc_engine*, std::uint32_t number, void* self);
  static bool bad_access_hook(uc_engine*, uc_mem_type type, std::uint64_t address, int size,
                              std::int64_t value, void* self);
  static bool protected_write_hook(uc_engine*, uc_mem_type type, std::uint64_t address, int size,
                                   std::int64_t value, void* self);
  static bool invalid_instruction_hook(uc_engine*, void* self);
  void install_hooks();

  // processor_data.cpp: what loads cost beyond their instructions
  void follow_clock();
  bool wants_to_watch_reads() const;
  void watch_reads_of_window();
  void on_read(std::uint32_t address, std::uint32_t size);
  std::optional<std::uint32_t> cost_of_miss(std::uint32_t address);
  static void read_hook(uc_engine*, uc_mem_type, std::uint64_t address, int size, std::int64_t,
                        void* self);
  std::uint64_t read_io(std::uint32_t address, std::uint32_t size);
  void write_io(std::uint32_t address, std::uint32_t size, std::uint32_t value);

  // processor_exceptions.cpp
  PriorityMasks masks() const;
  void take_pending();
  void enter_exception(int exception, std::uint32_t return_address);
  void leave_exception(std::uint32_t exc_return);
  void raise_fault(const PendingFault& fault);
  void lock_up();
  bool push_frame(std::uint32_t frame, std::uint32_t xpsr, std::uint32_t return_address,
                  bool with_float);
  std::optional<std::uint32_t> pop_frame(std::uint32_t frame, bool with_float);

  const Part& part_;
  MemoryMap& memory_;
  FlashArray& flash_;
  std::atomic<std::uint32_t>& attention_;
  const Rcc& rcc_;
  const CycleModel& model_;
  Engine engine_;
  CodeMap code_;
  mutable ExecutionCounter counter_;  ///< asking for the time ends the cycle that is going on
  DataLines data_lines_;
  bool watching_reads_ = false;
  SystemSpace system_;
  IdleDetector idle_;
  std::vector<Usart*> usarts_;

  RunState state_ = RunState::halted;
  std::uint32_t pc_ = 0;
  std::uint32_t halt_reasons_ = 0;
  std::uint64_t next_event_ = 0;  ///< cycles; 0: look now

  // One run of the engine.
  bool stopping_ = false;     ///< stop() was called; blocks announced from now on do not run
  bool stop_wanted_ = false;  ///< by a register write in mid-block
  bool idle_found_ = false;
  bool stepping_ = false;     ///< one block at most
  Block* running_ = nullptr;  ///< block entered last
  std::optional<std::uint32_t> interrupt_;
  std::optional<PendingFault> fault_;
  bool invalid_instruction_ = false;
  std::optional<PendingFault> policed_;
  std::vector<std::uint32_t> breakpoints_;
  std::optional<FlashStore> flash_store_;

  // The access that is going on, for the exact time within a block.
  std::optional<std::uint32_t> access_;
  mutable std::optional<std::uint64_t> access_cycles_;
  mutable std::uint32_t first_candidate_ = 0;

  // Code the debugger changed since the engine ran.
  std::uint32_t written_first_ = ~0u;
  std::uint32_t written_last_ = 0;
};

}  // namespace assay::virtual_board
