// QEMU plugin: counts the Thumb instructions executed strictly between the markers of
// targets/port/port.hpp (`mov r11, r11` begins a window, `mov r12, r12` ends it), in total and by
// class, and appends one JSON line a window to the file given as `out=`. Counters are inline adds
// in the translated code, so counts are exact and repeatable. An instruction skipped by its IT
// condition counts as executed, as a pipeline would issue it. One virtual CPU.
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "boards/station/qemu_plugin_api.h"

namespace {

enum Class : int { alu, load, store, multiply, branch, other, class_count };
constexpr const char* class_names[class_count] = {"alu",      "load",   "store",
                                                  "multiply", "branch", "other"};

enum class Marker { none, begin, end };
constexpr std::uint16_t begin_opcode = 0x46db;  // mov r11, r11
constexpr std::uint16_t end_opcode = 0x46e4;    // mov r12, r12
constexpr std::uint16_t first_wide_opcode = 0xe800;

using Counts = std::array<std::uint64_t, class_count>;
Counts running{};
Counts at_begin{};
bool window_open = false;
std::FILE* out = nullptr;

/// 16-bit encodings, Armv7-M Architecture Reference Manual, A5.2.
Class classify_narrow(std::uint16_t op) {
  auto is = [op](unsigned mask, unsigned value) { return (op & mask) == value; };
  if (is(0xffc0, 0x4340)) return multiply;  // MULS
  if (is(0xff00, 0x4700)) return branch;    // BX, BLX
  if (is(0xf800, 0x4800)) return load;      // LDR literal
  if (is(0xf000, 0x5000)) return (op >> 9 & 7) >= 3 ? load : store;
  if (op >= 0x6000 && op < 0xa000) return op & 0x0800 ? load : store;
  if (is(0xf500, 0xb100)) return branch;                       // CBZ, CBNZ
  if (is(0xfe00, 0xb400)) return store;                        // PUSH
  if (is(0xfe00, 0xbc00)) return load;                         // POP
  if (is(0xff00, 0xbe00) || is(0xff00, 0xbf00)) return other;  // BKPT, IT, hints
  if (is(0xf000, 0xc000)) return op & 0x0800 ? load : store;   // LDM, STM
  if (is(0xfe00, 0xde00)) return other;                        // UDF, SVC
  if (is(0xf000, 0xd000) || is(0xf800, 0xe000)) return branch;
  return alu;
}

/// 32-bit encodings, A5.3; floating point counts as other, its loads and stores as such.
Class classify_wide(std::uint16_t first, std::uint16_t second) {
  auto is = [first](unsigned mask, unsigned value) { return (first & mask) == value; };
  if (is(0xfff0, 0xe8d0) && (second & 0xffe0) == 0xf000) return branch;  // TBB, TBH
  if (is(0xfe00, 0xe800)) return first & 0x0010 ? load : store;          // LDM, LDRD and so on
  if (is(0xfe00, 0xf800)) return first & 0x0010 ? load : store;
  if (is(0xfe00, 0xec00)) return first & 0x0010 ? load : store;  // VLDR, VLDM
  if (is(0xec00, 0xec00)) return other;
  if (is(0xff80, 0xfb00) || is(0xff80, 0xfb80)) return multiply;  // and divide
  if (is(0xf800, 0xf000) && (second & 0x8000))                    // B, BL; MSR and barriers
    return (second & 0x5000) == 0 && (first & 0x0380) == 0x0380 ? other : branch;
  return alu;
}

void begin_window(unsigned, void*) {
  at_begin = running;
  window_open = true;
}

void end_window(unsigned, void*) {
  if (!window_open) return;
  window_open = false;
  at_begin[other] += 1;  // the begin marker itself ran after its snapshot
  std::uint64_t total = 0;
  for (int i = 0; i < class_count; ++i)
    total += running[i] - at_begin[i];
  std::fprintf(out, "{\"total\": %" PRIu64, total);
  for (int i = 0; i < class_count; ++i)
    std::fprintf(out, ", \"%s\": %" PRIu64, class_names[i], running[i] - at_begin[i]);
  std::fputs("}\n", out);
  std::fflush(out);
}

struct Decoded {
  Class kind = other;
  Marker marker = Marker::none;
};

Decoded decode(const qemu_plugin_insn* insn) {
  std::uint16_t half[2] = {};
  const std::size_t size = qemu_plugin_insn_size(insn);
  std::memcpy(half, qemu_plugin_insn_data(insn), size < sizeof half ? size : sizeof half);
  // The size says little: before a page ends, QEMU 7.2 appends a look at the next instruction.
  if (half[0] >= first_wide_opcode) return {classify_wide(half[0], half[1]), Marker::none};
  if (half[0] == begin_opcode) return {other, Marker::begin};
  if (half[0] == end_opcode) return {other, Marker::end};
  return {classify_narrow(half[0]), Marker::none};
}

void instrument(qemu_plugin_id_t, qemu_plugin_tb* tb) {
  const std::size_t count = qemu_plugin_tb_n_insns(tb);
  Counts sums{};
  bool marked = false;
  for (std::size_t i = 0; i < count; ++i) {
    const Decoded decoded = decode(qemu_plugin_tb_get_insn(tb, i));
    sums[decoded.kind] += 1;
    marked |= decoded.marker != Marker::none;
  }
  if (!marked) {  // one add a class for the whole block
    for (int i = 0; i < class_count; ++i)
      if (sums[i])
        qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &running[i],
                                                 sums[i]);
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(tb, i);
    const Decoded decoded = decode(insn);
    if (decoded.marker != Marker::none)
      qemu_plugin_register_vcpu_insn_exec_cb(
          insn, decoded.marker == Marker::begin ? begin_window : end_window, QEMU_PLUGIN_CB_NO_REGS,
          nullptr);
    qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64,
                                               &running[decoded.kind], 1);
  }
}

}  // namespace

extern "C" {
__attribute__((visibility("default"))) int qemu_plugin_version = 1;

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                               const qemu_info_t*, int argc,
                                                               char** argv) {
  for (int i = 0; i < argc; ++i)
    if (std::strncmp(argv[i], "out=", 4) == 0) out = std::fopen(argv[i] + 4, "a");
  if (!out) {
    std::fputs("count plugin: needs out=<writable file>\n", stderr);
    return 1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, instrument);
  return 0;
}
}
