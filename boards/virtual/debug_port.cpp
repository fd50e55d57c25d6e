#include "boards/virtual/debug_port.hpp"

namespace assay::virtual_board {
namespace {

// Offsets from 0xE0000000.
constexpr std::uint32_t fp_ctrl = 0x2000, fp_comp0 = 0x2008, dfsr = 0xED30, dhcsr = 0xEDF0,
                        dcrsr = 0xEDF4, dcrdr = 0xEDF8, demcr = 0xEDFC;
// DHCSR
constexpr std::uint32_t c_debugen = 1, c_halt = 2, c_step = 4, s_regrdy = 1u << 16,
                        s_halt = 1u << 17, s_sleep = 1u << 18, s_lockup = 1u << 19,
                        s_retire = 1u << 24, s_reset = 1u << 25;
constexpr std::uint32_t debug_key = 0xA05F;
constexpr std::uint32_t vector_catch_reset = 1;

// Memory access port.
constexpr std::uint32_t ap_csw = 0x00, ap_tar = 0x04, ap_drw = 0x0C, ap_bd0 = 0x10, ap_bd3 = 0x1C,
                        ap_base = 0xF8, ap_idr = 0xFC;
/// Identification of the memory access port, by CPUID.PARTNO of the core behind it.
struct PortIdentification {
  std::uint32_t core;
  std::uint32_t idr;
};
constexpr std::uint32_t cortex_m4_idr = 0x24770011;  // Arm 100166 table 9-1, also of an M3
constexpr std::array port_identifications{
    PortIdentification{0xC20, 0x04770021},     // Cortex-M0 (DDI 0432C)
    PortIdentification{0xC60, 0x04770031},     // Cortex-M0+ (DDI 0484C)
    PortIdentification{0xC27, 0x74770001},     // Cortex-M7
    PortIdentification{0xD21, 0x14770015}};    // Cortex-M33: an AHB5 access port (RM0456, AP0_IDR)
constexpr std::uint32_t apb_idr = 0x54770002;  // APB-AP
constexpr std::uint32_t debug_bus = 2;         // number of the STM32H7's APB-AP

}  // namespace

DebugPort::DebugPort(const Part& part, MemoryMap& memory, Processor& processor,
                     std::function<void()> after_write)
    : part_(part),
      memory_(memory),
      processor_(processor),
      after_write_(std::move(after_write)),
      core_port_{0x23000042},
      debug_bus_port_{0x80000042} {}

bool DebugPort::is_h7() const {
  return part_.debug_idcode_address >> 16 == 0x5C00;
}

DebugPort::AccessPort* DebugPort::access_port(std::uint32_t port) {
  if (port == 0) return &core_port_;
  return port == debug_bus && is_h7() ? &debug_bus_port_ : nullptr;
}

std::uint32_t DebugPort::identification(std::uint32_t port) const {
  if (port == debug_bus) return apb_idr;
  for (const PortIdentification& known : port_identifications)
    if (known.core == (part_.cpuid >> 4 & 0xFFF)) return known.idr;
  return cortex_m4_idr;
}

std::optional<std::uint32_t> DebugPort::bus_address(std::uint32_t address,
                                                    std::uint32_t port) const {
  if (port == 0) return address;
  constexpr std::uint32_t on_debug_bus = 0xE00E0000, for_the_core = 0x5C000000, size = 0x10000;
  if (port != debug_bus || !is_h7() || address - on_debug_bus >= size) return std::nullopt;
  return address - on_debug_bus + for_the_core;
}

std::uint32_t DebugPort::read_dp(std::uint32_t address) const {
  switch (address & 0xF) {
    case 0x0:
      return part_.debug_port_id;
    case 0x4:
      return control_status_;
    default:
      return 0;
  }
}

// Power-up acknowledgements follow the requests.
void DebugPort::write_dp(std::uint32_t address, std::uint32_t value) {
  constexpr std::uint32_t requests = 0x50000000;
  if ((address & 0xF) == 0x4)
    control_status_ = (value & (requests | 0xF00)) | (value & requests) << 1;
}

std::optional<std::uint32_t> DebugPort::read_memory(std::uint32_t address, std::uint32_t size,
                                                    std::uint32_t port) {
  const auto there = bus_address(address, port);
  return there ? memory_.read(*there, size) : std::nullopt;
}

bool DebugPort::write_memory(std::uint32_t address, std::uint32_t size, std::uint32_t value,
                             std::uint32_t port) {
  const auto there = bus_address(address, port);
  if (!there || !memory_.write(*there, size, value)) return false;
  processor_.note_debug_write(*there, size);
  after_write_();
  return true;
}

// The address register counts within 1 KB on every core; a debugger never relies on more.
void DebugPort::advance_address(AccessPort& ap, std::uint32_t size) {
  constexpr std::uint32_t wrap = 0x3FF;
  if ((ap.csw >> 4 & 3) == 0) return;
  ap.address = (ap.address & ~wrap) | ((ap.address + size) & wrap);
}

std::optional<std::uint32_t> DebugPort::read_ap(std::uint32_t port, std::uint32_t address) {
  AccessPort* const ap = access_port(port);
  if (!ap) return 0;
  const std::uint32_t size = 1u << (ap->csw & 3);
  switch (address) {
    case ap_csw:
      return ap->csw | 0x40;
    case ap_tar:
      return ap->address;
    case ap_drw: {
      const auto value = read_memory(ap->address, size, port);
      if (!value) return std::nullopt;
      const std::uint32_t lane = *value << 8 * (ap->address & (4 - size));
      advance_address(*ap, size);
      return lane;
    }
    case ap_base:
      return 0xE00FF003;
    case ap_idr:
      return identification(port);
    default:
      if (address < ap_bd0 || address > ap_bd3) return 0;
      return read_memory((ap->address & ~15u) + (address & 12), 4, port);
  }
}

bool DebugPort::write_ap(std::uint32_t port, std::uint32_t address, std::uint32_t value) {
  AccessPort* const ap = access_port(port);
  if (!ap) return true;
  const std::uint32_t size = 1u << (ap->csw & 3);
  switch (address) {
    case ap_csw:
      ap->csw = value;
      return true;
    case ap_tar:
      ap->address = value;
      return true;
    case ap_drw: {
      const std::uint32_t lane = value >> 8 * (ap->address & (4 - size));
      if (!write_memory(ap->address, size, lane, port)) return false;
      advance_address(*ap, size);
      return true;
    }
    default:
      if (address < ap_bd0 || address > ap_bd3) return true;
      return write_memory((ap->address & ~15u) + (address & 12), 4, value, port);
  }
}

std::uint32_t DebugPort::breakpoint_slots() const {
  if (is_m7()) return 8;
  return part_.core.architecture == "armv6-m" ? 4 : 6;
}

std::uint32_t DebugPort::read_debug(std::uint32_t offset) {
  switch (offset) {
    case fp_ctrl:
      return (is_m7() ? 1u << 28 : 0) | breakpoint_slots() << 4 | (breakpoints_enabled_ ? 1 : 0);
    case dfsr:
      return processor_.halt_reasons();
    case dhcsr:
      return read_halting_control();
    case dcrdr:
      return register_data_;
    case demcr:
      return monitor_control_;
    default:
      if (offset < fp_comp0 || (offset - fp_comp0) / 4 >= breakpoint_slots()) return 0;
      return comparators_[(offset - fp_comp0) / 4];
  }
}

void DebugPort::write_debug(std::uint32_t offset, std::uint32_t value) {
  switch (offset) {
    case fp_ctrl:
      if (value & 2) breakpoints_enabled_ = value & 1;  // KEY
      apply_breakpoints();
      break;
    case dfsr:
      processor_.take_halt_reasons(value);
      break;
    case dhcsr:
      write_halting_control(value);
      break;
    case dcrsr:
      if (value & 1u << 16)
        processor_.set_debug_register(value & 0x7F, register_data_);
      else
        register_data_ = processor_.debug_register(value & 0x7F);
      break;
    case dcrdr:
      register_data_ = value;
      break;
    case demcr:
      monitor_control_ = value;
      break;
    default:
      write_breakpoint(offset, value);
  }
}

void DebugPort::write_breakpoint(std::uint32_t offset, std::uint32_t value) {
  if (offset < fp_comp0 || (offset - fp_comp0) / 4 >= breakpoint_slots()) return;
  comparators_[(offset - fp_comp0) / 4] = value;
  apply_breakpoints();
}

// FPB version 1: bits [28:2] are the word, [31:30] choose the lower, the upper or both half-words.
// Version 2, the Cortex-M7's: bits [31:1] are the address.
void DebugPort::apply_breakpoints() {
  std::vector<std::uint32_t> addresses;
  for (std::uint32_t comparator : comparators_) {
    if (!breakpoints_enabled_ || !(comparator & 1)) continue;
    if (is_m7()) {
      addresses.push_back(comparator & ~1u);
      continue;
    }
    const std::uint32_t word = comparator & 0x1FFFFFFC;
    if (comparator & 1u << 30) addresses.push_back(word);
    if (comparator & 1u << 31) addresses.push_back(word + 2);
  }
  processor_.set_breakpoints(std::move(addresses));
}

std::uint32_t DebugPort::read_halting_control() {
  const RunState state = processor_.state();
  const std::uint32_t value = halting_bits_ | (debug_enabled_ ? c_debugen : 0) | s_regrdy |
                              (state == RunState::halted ? s_halt | c_halt : 0) |
                              (state == RunState::sleeping ? s_sleep : 0) |
                              (state == RunState::locked_up ? s_lockup : 0) | s_retire |
                              (reset_seen_ ? s_reset : 0);
  reset_seen_ = false;
  return value;
}

void DebugPort::write_halting_control(std::uint32_t value) {
  if (value >> 16 != debug_key) return;
  debug_enabled_ = value & c_debugen;
  halting_bits_ = value & 0x28;
  if (debug_enabled_ && (value & c_halt)) {
    processor_.halt(halt_request);
  } else if (processor_.state() == RunState::halted) {
    if (debug_enabled_ && (value & c_step))
      processor_.step();
    else
      processor_.resume();
  }
}

bool DebugPort::note_reset() {
  reset_seen_ = true;
  return debug_enabled_ && (monitor_control_ & vector_catch_reset);
}

}  // namespace assay::virtual_board
