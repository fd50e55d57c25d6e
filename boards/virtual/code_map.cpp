#include "boards/virtual/code_map.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace assay::virtual_board {

namespace {

bool is_branch(const Instruction& it) {
  return it.operation == Operation::branch || it.operation == Operation::branch_link ||
         it.operation == Operation::branch_register;
}

/// The block as steps of a stretch; `count`: of its first instructions only.
void append_steps(const Block& block, std::uint32_t count, bool reached_by_branch,
                  std::vector<Step>& steps) {
  for (std::uint32_t i = 0; i < count; ++i)
    steps.push_back(
        {&block.code[i], block.address + block.offsets[i], i == 0 && reached_by_branch, false});
}

/// The way of code from flash, before the clock gives its wait states.
FetchPath path_from(const std::optional<FlashTiming>& timing) {
  if (!timing) return {};
  FetchPath path{0, timing->prefetch, 0, 0};
  if (timing->code_lines) {
    path.line_bytes = timing->code_lines->line_bytes;
    path.kept_lines = timing->code_lines->kept;
  }
  return path;
}

}  // namespace

CodeMap::CodeMap(MemoryMap& memory, const Part& part, const CycleModel& model)
    : memory_(memory),
      mainline_(part.core.architecture != "armv6-m"),
      dsp_(part.core.dsp),
      fpu_(part.core.fpu),
      model_(model),
      flash_path_(path_from(part.flash_timing)),
      slowdown_(part.flash_timing && part.flash_timing->code_slowdown
                    ? part.flash_timing->code_slowdown->value
                    : 0),
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
  slot->in_flash = in_flash;
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
    block.words_loaded += it.words_loaded();
    block.literals += it.operands.is(literal);
    block.offsets.push_back(offset);
    block.code.push_back(it);
    offset += it.size;
  }
  block.count = static_cast<std::uint32_t>(block.code.size());
  block.closes = block.count > 0 && is_branch(block.code.back());
  block.chooses = block.closes && block.code.back().conditional;
}

// Ticks until each step is through.
std::vector<std::uint32_t> CodeMap::run(const Block& where, const std::vector<Step>& steps) const {
  const FetchPath path = where.in_flash ? flash_path_ : FetchPath{};
  std::vector<std::uint32_t> done(steps.size());
  model_.run(path, steps, done);
  const double factor = model_.charges_fetches() ? 1 : 1 + slowdown_ * path.wait_states;
  for (std::uint32_t& cycles : done)
    cycles = static_cast<std::uint32_t>(std::lround(cycles * factor * (1 << ticks_shift)));
  return done;
}

void CodeMap::compute(Edge& edge, const Block* from) const {
  const Block& to = *edge.to;
  std::vector<Step> steps;
  const bool branched = !from || to.address != from->end();
  if (from) {
    append_steps(*from, from->count, true, steps);
    if (from->closes) steps.back().taken = branched;
  }
  const std::size_t before = steps.size();
  append_steps(to, to.count, branched, steps);
  const std::vector<std::uint32_t> done = run(to, steps);
  // Everything of `from` but its closing branch was charged when it was entered.
  const std::size_t charged = before - (from && from->closes ? 1 : 0);
  const auto at = [&](std::size_t step_count) {
    return step_count == 0 ? 0 : done[step_count - 1];
  };
  edge.until.clear();
  for (std::size_t i = 0; i <= to.count; ++i)
    edge.until.push_back(at(before + i) - at(charged));
  if (to.closes) edge.until.back() = edge.until[to.count - 1];
  edge.generation = generation_;
}

const Edge& CodeMap::find_edge(Block* from, Block& to) {
  if (!from) {
    to.entry.to = &to;
    if (to.entry.generation != generation_) compute(to.entry, nullptr);
    return to.entry;
  }
  auto& edges = from->departures;
  auto found = std::ranges::find(edges, &to, [](const auto& edge) { return edge->to; });
  if (found == edges.end()) {
    edges.push_back(std::make_unique<Edge>());
    found = edges.end() - 1;
    (*found)->to = &to;
  }
  if ((*found)->generation != generation_) compute(**found, from);
  from->next = &to;
  from->next_edge = found->get();
  from->next_cost = (*found)->cost();
  return **found;
}

Ticks CodeMap::closing_cost(const Block& block, std::uint32_t target) const {
  if (!block.closes) return 0;
  std::vector<Step> steps;
  append_steps(block, block.count, true, steps);
  steps.back().taken = target != block.end();
  const std::vector<std::uint32_t> done = run(block, steps);
  return done.back() - (done.size() > 1 ? done[done.size() - 2] : 0);
}

void CodeMap::set_wait_states(std::uint32_t wait_states) {
  if (wait_states == flash_path_.wait_states) return;
  flash_path_.wait_states = wait_states;
  ++generation_;
  for (const auto& block : blocks_)
    block->next = nullptr;
}

void CodeMap::forget_flash() {
  std::fill(flash_blocks_.begin(), flash_blocks_.end(), nullptr);
}

void CodeMap::clear_runs() {
  for (const auto& block : blocks_)
    block->runs = block->taken = block->not_taken = 0;
}

}  // namespace assay::virtual_board
