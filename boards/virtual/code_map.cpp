#include "boards/virtual/code_map.hpp"

#include <algorithm>
#include <cstring>

namespace assay::virtual_board {

CodeMap::CodeMap(MemoryMap& memory, const Core& core, const CycleCosts& costs)
    : memory_(memory),
      mainline_(core.architecture != "armv6-m"),
      dsp_(core.dsp),
      fpu_(core.fpu),
      costs_(costs),
      flash_base_(memory.flash_bank().base),
      flash_size_(static_cast<std::uint32_t>(memory.flash_bank().bytes.size())),
      flash_blocks_(flash_size_ / 2, nullptr) {}

Block& CodeMap::find_slowly(std::uint32_t address, std::uint32_t size) {
  const std::uint32_t resolved = memory_.resolve(address);
  Bank* bank = memory_.find(address, size);
  const std::uint8_t* code = bank ? &bank->bytes[resolved - bank->base] : nullptr;
  const bool in_flash = bank && bank->kind == BankKind::flash;
  Block*& slot = in_flash ? flash_blocks_[(resolved - flash_base_) / 2]
                          : other_blocks_[std::uint64_t{address} << 32 | size];
  const bool changed =
      slot && !in_flash && code && !std::equal(slot->bytes.begin(), slot->bytes.end(), code);
  if (slot && !changed && slot->address == address && slot->size == size) return *slot;
  blocks_.push_back(std::make_unique<Block>());
  slot = blocks_.back().get();
  slot->address = address;
  slot->size = size;
  if (code) decode_block(*slot, code);
  if (code && !in_flash) slot->bytes.assign(code, code + size);
  return *slot;
}

void CodeMap::decode_block(Block& block, const std::uint8_t* code) {
  for (std::uint32_t offset = 0; offset + 2 <= block.size;) {
    std::uint16_t halves[2] = {};
    std::memcpy(halves, code + offset, std::min<std::uint32_t>(4, block.size - offset));
    const Instruction it = decode(halves[0], halves[1]);
    const int index = static_cast<int>(block.code.size());
    const bool lacking = it.undefined || (it.needs_mainline && !mainline_) ||
                         (it.needs_dsp && !dsp_) || (it.uses_fpu && !fpu_);
    if (lacking && block.undefined < 0) block.undefined = index;
    if (it.uses_fpu && block.floating < 0) block.floating = index;
    block.has_marker |= it.marker != Marker::none;
    ++block.classes[static_cast<std::size_t>(it.kind)];
    block.offsets.push_back(offset);
    block.code.push_back(it);
    offset += it.size;
  }
  block.count = static_cast<std::uint32_t>(block.code.size());
  block.cost = block_cost(costs_, block.code);
  block.cycles = block.cost.until.back();
}

void CodeMap::forget_flash() {
  std::fill(flash_blocks_.begin(), flash_blocks_.end(), nullptr);
}

void CodeMap::clear_runs() {
  for (const auto& block : blocks_)
    block->runs = 0;
}

}  // namespace assay::virtual_board
