#include "boards/virtual/engine.hpp"

#include <fmt/format.h>

#include <array>
#include <stdexcept>

namespace assay::virtual_board {
namespace {

struct Model {
  const char* name;
  int id;
};
constexpr std::array models = {
    Model{"cortex-m0", UC_CPU_ARM_CORTEX_M0}, Model{"cortex-m4", UC_CPU_ARM_CORTEX_M4},
    Model{"cortex-m7", UC_CPU_ARM_CORTEX_M7}, Model{"cortex-m33", UC_CPU_ARM_CORTEX_M33}};

int model_id(const std::string& name) {
  for (const Model& model : models)
    if (name == model.name) return model.id;
  throw std::runtime_error(fmt::format(
      "engine_model \"{}\" is not known; known: cortex-m0, cortex-m4, cortex-m7, cortex-m33",
      name));
}

}  // namespace

Engine::Engine(const std::string& model) {
  const int id = model_id(model);
  // UC_MODE_MCLASS would force a Cortex-M33 whatever the model.
  check(uc_open(UC_ARCH_ARM, UC_MODE_THUMB, &engine_), "open");
  check(uc_ctl_set_cpu_model(engine_, id), "choose the core");
}

void Engine::check(uc_err error, const char* what) const {
  if (error != UC_ERR_OK)
    throw std::runtime_error(
        fmt::format("the Unicorn engine cannot {}: {}", what, uc_strerror(error)));
}

int Engine::core_register_id(unsigned number) {
  switch (number) {
    case 13:
      return UC_ARM_REG_SP;
    case 14:
      return UC_ARM_REG_LR;
    case 15:
      return UC_ARM_REG_PC;
    default:
      return UC_ARM_REG_R0 + static_cast<int>(number);
  }
}

void Engine::map(std::uint32_t address, std::uint32_t size, std::uint32_t permissions, void* host) {
  check(uc_mem_map_ptr(engine_, address, size, permissions, host), "map memory");
}

void Engine::map_io(std::uint32_t address, std::uint32_t size, uc_cb_mmio_read_t read,
                    uc_cb_mmio_write_t write, void* user) {
  check(uc_mmio_map(engine_, address, size, read, user, write, user), "map peripherals");
}

void Engine::hook(int type, void* callback, void* user) {
  uc_hook handle = 0;
  check(uc_hook_add(engine_, &handle, type, callback, user, 1, 0), "add a hook");
}

void Engine::watch_reads(void* callback, void* user) {
  check(uc_hook_add(engine_, &reads_, UC_HOOK_MEM_READ, callback, user, 1, 0), "watch reads");
}

void Engine::stop_watching_reads() {
  check(uc_hook_del(engine_, reads_), "stop watching reads");
}

uc_err Engine::start(std::uint32_t address, std::uint64_t until) {
  return uc_emu_start(engine_, address | 1, until, 0, 0);
}

void Engine::forget_code(std::uint32_t first, std::uint32_t last) {
  uc_ctl_remove_cache(engine_, std::uint64_t{first}, std::uint64_t{last});
}

}  // namespace assay::virtual_board
