// A thin owner of one Unicorn engine: registers, mapping, running. Unicorn's errors in set-up are
// exceptions (std::runtime_error) that Board::create turns into a Result. One thread at a time.
#pragma once

#include <unicorn/unicorn.h>

#include <cstdint>
#include <string>

namespace assay::virtual_board {

class Engine {
 public:
  /// `model`: "cortex-m0", "cortex-m4", "cortex-m7" or "cortex-m33".
  explicit Engine(const std::string& model);
  ~Engine() { uc_close(engine_); }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  std::uint32_t reg(int number) const {
    std::uint32_t value = 0;
    uc_reg_read(engine_, number, &value);
    return value;
  }
  void set_reg(int number, std::uint32_t value) { uc_reg_write(engine_, number, &value); }
  /// R0 to R15 by number.
  std::uint32_t core_register(unsigned number) const { return reg(core_register_id(number)); }
  void set_core_register(unsigned number, std::uint32_t value) {
    set_reg(core_register_id(number), value);
  }

  void map(std::uint32_t address, std::uint32_t size, std::uint32_t permissions, void* host);
  void map_io(std::uint32_t address, std::uint32_t size, uc_cb_mmio_read_t read,
              uc_cb_mmio_write_t write, void* user);
  void hook(int type, void* callback, void* user);
  /// Calls `callback` (a uc_cb_hookmem_t) before every load from plain memory. Slow: only code
  /// translated while it is on is watched, and that takes three times as long.
  void watch_reads(void* callback, void* user);
  void stop_watching_reads();

  /// Runs from `address` until something stops it; see Processor for the protocol.
  uc_err start(std::uint32_t address, std::uint64_t until = no_end);
  void stop() { uc_emu_stop(engine_); }
  /// Forgets translated code of [first, last).
  void forget_code(std::uint32_t first, std::uint32_t last);

  static constexpr std::uint64_t no_end = 0xFFFFFFFE;

 private:
  static int core_register_id(unsigned number);
  void check(uc_err error, const char* what) const;

  uc_engine* engine_ = nullptr;
  uc_hook reads_ = 0;
};

}  // namespace assay::virtual_board
