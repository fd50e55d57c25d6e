#include "targets/build/linker_script.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "targets/build/generate.hpp"
#include "targets/wire/protocol.hpp"

namespace assay {
namespace {

std::string memory_block(const Part& part) {
  std::string text = "MEMORY\n{\n";
  for (const MemoryRegion& region : part.memory)
    text += fmt::format("  {} ({}) : ORIGIN = {:#010x}, LENGTH = {}\n", region.name,
                        region.flash ? "rx" : "rw", region.base, region.size.count());
  return text + "}\n\n";
}

/// A ring in which one frame with such a payload may wait. One byte tells full from empty.
std::size_t ring_size(std::size_t payload) {
  return wire::encoded_bound(payload) + wire::ring_reserve + 1;
}

constexpr std::string_view flash_sections = R"(  .vectors :
  {{
    assay_vectors = .;
    KEEP(*(.vectors))
    . = ALIGN(8);
  }} >{flash}
  .model_code :
  {{
    *model.o(.text .text.*)
    . = ALIGN(8);
  }} >{flash}
  .weights :
  {{
    *model.o(.rodata .rodata.*)
    . = ALIGN(8);
  }} >{flash}
  .runtime :
  {{
    *(.text .text.*)
    *(.rodata .rodata.*)
    . = ALIGN(8);
  }} >{flash}
  .far_arenas :
  {{
    assay_far_begin = .;
{far_table}    assay_far_end = .;
  }} >{flash}
  .init_array : {{ KEEP(*(.init_array .init_array.*)) }} >{flash}
  ASSERT(SIZEOF(.init_array) == 0, "device code has a constructor that would never run")
  .note.gnu.build-id :
  {{
    assay_build_id_begin = .;
    KEEP(*(.note.gnu.build-id))
    assay_build_id_end = .;
  }} >{flash}
)";

constexpr std::string_view ram_sections = R"(  .stack (NOLOAD) :
  {{
    assay_stack_bottom = .;
    . += {stack};
    assay_stack_top = .;
  }} >{ram}
  .data :
  {{
    assay_data_begin = .;
    *(.data .data.*)
    . = ALIGN(4);
    assay_data_end = .;
  }} >{ram} AT >{flash}
  assay_data_load = LOADADDR(.data);
{far_arenas}  .arena (NOLOAD) :
  {{
    . = ALIGN(8);
    assay_zero_begin = .;
    *model.o(.bss .bss.* COMMON)
    . = ALIGN(4);
  }} >{ram}
  .static (NOLOAD) :
  {{
    *(.bss .bss.* COMMON)
    . = ALIGN(4);
    assay_zero_end = .;
  }} >{ram}
  assay_ram_left = ORIGIN({ram}) + LENGTH({ram}) - ADDR(.static) - SIZEOF(.static);
  .ring (NOLOAD) :
  {{
    assay_ring_begin = .;
    . += (assay_ram_left >= {ring} ? {ring} : {least_ring});
    assay_ring_end = .;
  }} >{ram}
  /DISCARD/ : {{ *(.ARM.exidx* .ARM.extab*) }}
)";

/// The loop of a second core (targets/port/second_core.cpp), where that core boots.
constexpr std::string_view second_core_sections = R"(
EXTERN(assay_second_core_vectors)
assay_second_core_stack = ORIGIN({stack}) + LENGTH({stack});

SECTIONS
{{
  .second_core :
  {{
    KEEP(*(.second_core.vectors))
    KEEP(*(.second_core.code))
  }} >{flash}
  ASSERT(SIZEOF(.second_core) > 0, "nothing holds the second core")
}}
)";

std::string second_core(const SecondCore& core) {
  return fmt::format(second_core_sections, fmt::arg("flash", core.flash),
                     fmt::arg("stack", core.stack));
}

std::string far_arena(const std::string& region) {
  return fmt::format(
      "  .arena.{0} (NOLOAD) :\n  {{\n    *model.o({1})\n    . = ALIGN(8);\n  }} >{0}\n", region,
      arena_section(region));
}

std::string far_row(const std::string& region) {
  return fmt::format("    LONG(ADDR(.arena.{0})) LONG(ADDR(.arena.{0}) + SIZEOF(.arena.{0}))\n",
                     region);
}

}  // namespace

std::string linker_script(const Part& part, const LinkerMemory& memory) {
  const std::uint64_t stack = (memory.stack_reserve.count() + 7) / 8 * 8;
  const std::size_t least_ring = ring_size(wire::max_plain_payload);
  const std::size_t ring = std::max(ring_size(wire::input_head + memory.input.count()), least_ring);
  const std::string& flash = part.flash().name;
  const std::string& ram = memory.home.empty() ? part.ram().name : memory.home;
  std::string far_arenas, far_table;
  for (const std::string& region : memory.arenas) {
    if (region == ram) continue;
    far_arenas += far_arena(region);
    far_table += far_row(region);
  }
  return memory_block(part) + "ENTRY(reset_handler)\n\nSECTIONS\n{\n" +
         fmt::format(flash_sections, fmt::arg("flash", flash), fmt::arg("far_table", far_table)) +
         fmt::format(ram_sections, fmt::arg("flash", flash), fmt::arg("ram", ram),
                     fmt::arg("stack", stack), fmt::arg("ring", ring),
                     fmt::arg("least_ring", least_ring), fmt::arg("far_arenas", far_arenas)) +
         "}\n" + (part.second_core ? second_core(*part.second_core) : "");
}

}  // namespace assay
