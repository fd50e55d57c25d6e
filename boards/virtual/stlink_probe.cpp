#include "boards/virtual/stlink_probe.hpp"

#include <algorithm>
#include <cstring>

namespace assay::virtual_board {
namespace {

// Command groups and the debug group's commands, API version 2 and 3.
constexpr std::uint8_t get_version = 0xF1, debug_group = 0xF2, dfu_group = 0xF3,
                       get_current_mode = 0xF5, get_target_voltage = 0xF7, get_version_v3 = 0xFB;
constexpr std::uint8_t read_32 = 0x07, write_32 = 0x08, read_8 = 0x0C, write_8 = 0x0D,
                       leave_debug = 0x21, enter_debug = 0x30, read_idcodes = 0x31,
                       reset_system = 0x32, read_register = 0x33, write_register = 0x34,
                       write_debug_register = 0x35, read_debug_register = 0x36,
                       read_all_registers = 0x3A, last_status = 0x3B, drive_reset = 0x3C,
                       last_status_2 = 0x3E, read_dap = 0x45, write_dap = 0x46, read_16 = 0x47,
                       write_16 = 0x48, init_port = 0x4B, close_port = 0x4C, write_32_fixed = 0x50,
                       queue_run = 0x51, queue_answers = 0x52, read_32_fixed = 0x54,
                       set_frequency = 0x61, get_frequencies = 0x62, set_frequency_swd = 0x43;

constexpr std::uint8_t status_ok = 0x80, status_fault = 0x81, status_no_target = 0x09,
                       status_ap_error = 0x11, status_unknown = 0x0A;
constexpr std::uint16_t debug_port_select = 0xFFFF;

std::uint16_t half_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] | bytes[at + 1] << 8);
}
std::uint32_t word_at(std::span<const std::uint8_t> bytes, std::size_t at) {
  return half_at(bytes, at) | static_cast<std::uint32_t>(half_at(bytes, at + 2)) << 16;
}
void put(std::vector<std::uint8_t>& answer, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4 && at + i < answer.size(); ++i)
    answer[at + i] = static_cast<std::uint8_t>(value >> 8 * i);
}
void put_bytes(std::vector<std::uint8_t>& answer, std::initializer_list<std::uint8_t> bytes) {
  std::copy_n(bytes.begin(), std::min(bytes.size(), answer.size()), answer.begin());
}

}  // namespace

std::vector<std::uint8_t> StlinkProbe::command(std::span<const std::uint8_t> request,
                                               std::span<const std::uint8_t> data,
                                               std::size_t answer_size) {
  Answer answer(answer_size, 0);
  Board::Access board(board_);
  switch (request[0]) {
    case get_version:
      put_bytes(answer, {0x30, 0x00, 0x83, 0x04, 0x4E, 0x37});
      break;
    // V3, bridge 0, JTAG API 10, mass storage 3, USB ids of an ST-Link/V3E.
    case get_version_v3:
      put_bytes(answer, {3, 0, 10, 3, 4, 0, 0, 0, 0x83, 0x04, 0x4E, 0x37});
      break;
    case get_current_mode:
      put_bytes(answer, {mode_, 0});
      break;
    // Two readings of the probe's ADC: reference 1.2 V, then half the target voltage.
    case get_target_voltage: {
      constexpr std::uint32_t reference = 1500;
      const std::uint32_t millivolts = board_.spec().type.supply.count();
      put(answer, 0, reference);
      put(answer, 4, board.powered() ? millivolts * reference / 2400 : 0);
      break;
    }
    case dfu_group:
      mode_ = 1;
      break;
    case debug_group:
      debug_command(board, request, data, answer);
      break;
    default:
      put_bytes(answer, {status_unknown});
      break;
  }
  return answer;
}

void StlinkProbe::debug_command(Board::Access& board, std::span<const std::uint8_t> request,
                                std::span<const std::uint8_t> data, Answer& answer) {
  const auto done = [&](std::uint8_t status = status_ok) { put_bytes(answer, {status, 0}); };
  DebugPort& debug = board.debug();
  Processor& processor = board.processor();
  switch (request[1]) {
    case enter_debug:
      if (!board.answers()) return done(status_no_target);
      mode_ = 2;
      return done();
    case leave_debug:
      mode_ = 1;
      return;
    case read_idcodes:
      done();
      return put(answer, 4, debug.debug_port_id());
    case reset_system:
      board.reset();
      return done();
    case read_register:
      done();
      return put(answer, 4, processor.debug_register(request[2]));
    case write_register:
      processor.set_debug_register(request[2], word_at(request, 3));
      return done();
    case write_debug_register:
      return done(debug.write_memory(word_at(request, 2), 4, word_at(request, 6)) ? status_ok
                                                                                  : status_fault);
    case read_debug_register: {
      const auto value = debug.read_memory(word_at(request, 2), 4);
      done(value ? status_ok : status_fault);
      return put(answer, 4, value.value_or(0));
    }
    case read_all_registers:
      done();
      for (unsigned i = 0; i < 21; ++i)
        put(answer, 4 + 4 * i, processor.debug_register(i));
      return;
    case last_status:
    case last_status_2:
      done(last_status_);
      return put(answer, 4, last_address_);
    case drive_reset:
      // 0 low, 1 high, 2 pulse
      if (request[2] != 1) board.hold_in_reset(true);
      if (request[2] != 0) board.hold_in_reset(false);
      return done();
    case read_dap:
      return access_register(board, request, answer, false);
    case write_dap:
      return access_register(board, request, answer, true);
    case read_32:
      return read_memory(board, request, answer, 4, true);
    case read_16:
      return read_memory(board, request, answer, 2, true);
    case read_8:
      return read_memory(board, request, answer, 1, true);
    case read_32_fixed:
      return read_memory(board, request, answer, 4, false);
    case write_32:
      return write_memory(board, request, data, answer, 4, true);
    case write_16:
      return write_memory(board, request, data, answer, 2, true);
    case write_8:
      return write_memory(board, request, data, answer, 1, true);
    case write_32_fixed:
      return write_memory(board, request, data, answer, 4, false);
    case queue_run:
      return run_queue(board, request, data);
    case queue_answers:
      std::copy_n(queue_answer_.begin(), std::min(queue_answer_.size(), answer.size()),
                  answer.begin());
      return;
    case get_frequencies: {
      constexpr std::uint32_t kilohertz[] = {24000, 8000, 3300, 1000, 200, 50, 5};
      done();
      put(answer, 4, kilohertz[0]);
      put(answer, 8, std::size(kilohertz));
      for (std::size_t i = 0; i < std::size(kilohertz); ++i)
        put(answer, 12 + 4 * i, kilohertz[i]);
      return;
    }
    case init_port:
    case close_port:
    case set_frequency:
    case set_frequency_swd:
      return done(board.answers() ? status_ok : status_no_target);
    default:
      return done(status_unknown);
  }
}

void StlinkProbe::access_register(Board::Access& board, std::span<const std::uint8_t> request,
                                  Answer& answer, bool write) {
  DebugPort& debug = board.debug();
  const std::uint16_t port = half_at(request, 2);
  const std::uint16_t address = half_at(request, 4);
  std::uint8_t status = status_ok;
  std::uint32_t value = write ? word_at(request, 6) : 0;
  if (!board.answers()) {
    status = status_no_target;
  } else if (port == debug_port_select) {
    if (write)
      debug.write_dp(address, value);
    else
      value = debug.read_dp(address);
  } else if (write) {
    if (!debug.write_ap(port, address, value)) status = status_ap_error;
  } else if (const auto read = debug.read_ap(port, address)) {
    value = *read;
  } else {
    status = status_ap_error;
  }
  put_bytes(answer, {status, 0});
  if (!write) put(answer, 4, value);
}

void StlinkProbe::read_memory(Board::Access& board, std::span<const std::uint8_t> request,
                              Answer& answer, std::uint32_t size, bool advance) {
  std::uint32_t address = word_at(request, 2);
  const std::uint32_t port = request[8];
  const std::size_t length = std::min<std::size_t>(half_at(request, 6), answer.size());
  last_status_ = board.answers() ? status_ok : status_no_target;
  for (std::size_t at = 0; at + size <= length && last_status_ == status_ok; at += size) {
    const auto value = board.debug().read_memory(address, size, port);
    if (!value) {
      last_status_ = status_ap_error;
      last_address_ = address;
      return;
    }
    std::memcpy(&answer[at], &*value, size);
    if (advance) address += size;
  }
}

void StlinkProbe::write_memory(Board::Access& board, std::span<const std::uint8_t> request,
                               std::span<const std::uint8_t> data, Answer&, std::uint32_t size,
                               bool advance) {
  std::uint32_t address = word_at(request, 2);
  const std::uint32_t port = request[8];
  const std::size_t length = std::min<std::size_t>(half_at(request, 6), data.size());
  last_status_ = board.answers() ? status_ok : status_no_target;
  for (std::size_t at = 0; at + size <= length && last_status_ == status_ok; at += size) {
    std::uint32_t value = 0;
    std::memcpy(&value, &data[at], size);
    if (!board.debug().write_memory(address, size, value, port)) {
      last_status_ = status_ap_error;
      last_address_ = address;
      return;
    }
    if (advance) address += size;
  }
}

// A queue of register accesses: `count` kinds of one byte, padded to a word, then `count` words.
// Kind 1 sets the address of a following write, 2 writes the word there, 3 reads at the word, 5
// chooses the access port. The answers are `count` values and `count` statuses.
void StlinkProbe::run_queue(Board::Access& board, std::span<const std::uint8_t> request,
                            std::span<const std::uint8_t> data) {
  const std::uint32_t count = word_at(request, 2);
  const std::size_t values = (std::size_t{count} + 3) & ~std::size_t{3};
  queue_answer_.assign(std::size_t{count} * 8, 0);
  if (values + std::size_t{count} * 4 > data.size()) return;
  std::uint32_t address = 0;
  std::uint32_t port = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t value = word_at(data, values + std::size_t{i} * 4);
    std::uint32_t read = 0;
    bool done = board.answers();
    if (data[i] == 1) {
      address = value;
    } else if (data[i] == 5) {
      port = value;
    } else if (data[i] == 2) {
      done = done && board.debug().write_memory(address, 4, value, port);
    } else if (const auto found = board.debug().read_memory(value, 4, port)) {
      read = *found;
    } else {
      done = false;
    }
    put(queue_answer_, std::size_t{i} * 4, read);
    put(queue_answer_, (std::size_t{count} + i) * 4, done ? status_ok : status_ap_error);
  }
}

}  // namespace assay::virtual_board
