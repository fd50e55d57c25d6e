// QEMU plugin for boards that run Linux: counts the A64 or A32 instructions executed strictly
// between the markers of targets/port/port.hpp and appends one number a window, on a line of its
// own, to the file given as `out=`. The counter is an inline add in the translated code, so counts
// are exact and repeatable. One thread.
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "boards/station/qemu_plugin_api.h"

namespace {

enum class Marker { none, begin, end };

/// "aarch64" or "arm": mov x11, x11 and mov x12, x12, or the same of r11 and r12.
struct Markers {
  std::uint32_t begin;
  std::uint32_t end;
};
constexpr Markers a64{0xaa0b03eb, 0xaa0c03ec};
constexpr Markers a32{0xe1a0b00b, 0xe1a0c00c};

Markers markers = a64;
std::uint64_t executed = 0;
std::uint64_t at_begin = 0;
bool window_open = false;
std::FILE* out = nullptr;

void begin_window(unsigned, void*) {
  at_begin = executed + 1;  // the marker itself runs after this
  window_open = true;
}

void end_window(unsigned, void*) {
  if (!window_open) return;
  window_open = false;
  std::fprintf(out, "%" PRIu64 "\n", executed - at_begin);
  std::fflush(out);
}

Marker marker_of(const qemu_plugin_insn* insn) {
  std::uint32_t word = 0;
  std::memcpy(&word, qemu_plugin_insn_data(insn), sizeof word);
  return word == markers.begin ? Marker::begin : word == markers.end ? Marker::end : Marker::none;
}

void instrument(qemu_plugin_id_t, qemu_plugin_tb* tb) {
  const std::size_t count = qemu_plugin_tb_n_insns(tb);
  for (std::size_t i = 0; i < count; ++i) {
    qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(tb, i);
    const Marker marker = marker_of(insn);
    if (marker != Marker::none)
      qemu_plugin_register_vcpu_insn_exec_cb(insn,
                                             marker == Marker::begin ? begin_window : end_window,
                                             QEMU_PLUGIN_CB_NO_REGS, nullptr);
    qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &executed, 1);
  }
}

}  // namespace

extern "C" {
__attribute__((visibility("default"))) int qemu_plugin_version = 1;

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                               const qemu_info_t* info, int argc,
                                                               char** argv) {
  if (std::strcmp(info->target_name, "aarch64") != 0) markers = a32;
  for (int i = 0; i < argc; ++i)
    if (std::strncmp(argv[i], "out=", 4) == 0) out = std::fopen(argv[i] + 4, "a");
  if (!out) {
    std::fputs("linux_count_plugin: needs out=<writable file>\n", stderr);
    return 1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, instrument);
  return 0;
}
}
