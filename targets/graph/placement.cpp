#include "targets/graph/placement.hpp"

#include <algorithm>
#include <random>

namespace assay {
namespace {

/// Whether two blocks may lie at these offsets.
bool compatible(const std::vector<Block>& blocks, int a, std::int64_t offset_a, int b,
                std::int64_t offset_b) {
  if (blocks[a].size == 0 || blocks[b].size == 0) return true;
  if (blocks[a].last < blocks[b].first || blocks[b].last < blocks[a].first) return true;
  if (offset_a >= blocks[b].end_of(offset_b) || offset_b >= blocks[a].end_of(offset_a)) return true;
  if (blocks[a].over == b) return offset_a <= offset_b;
  if (blocks[b].over == a) return offset_b <= offset_a;
  return false;
}

/// Lays blocks one after the other at the lowest offset that is free for their lifetime. Some order
/// gives an optimal plan: that of the offsets in any optimal plan, since each block then sinks at
/// most to where it lay.
class Placer {
 public:
  Placer(const std::vector<Block>& blocks, const BankLine& line)
      : blocks_(blocks), line_(line), meets_(blocks.size()) {
    const int count = static_cast<int>(blocks.size());
    for (int a = 0; a < count; ++a)
      for (int b = 0; b < count; ++b)
        if (a != b && blocks[a].is_used() && blocks[b].is_used() &&
            blocks[a].first <= blocks[b].last && blocks[b].first <= blocks[a].last)
          meets_[a].push_back(b);
  }

  std::int64_t lowest(const Offsets& offsets, int block) const {
    std::optional<std::int64_t> best;
    const auto consider = [&](std::int64_t offset) {
      if ((!best || offset < *best) && fits(offsets, block, offset)) best = offset;
    };
    for (const std::int64_t start : line_.starts())
      consider(start);
    for (int other : meets_[block])
      if (offsets[other]) {
        consider(*offsets[other]);
        consider(blocks_[other].end_of(*offsets[other]));
      }
    return *best;
  }

  Offsets place(const std::vector<int>& order) const {
    Offsets offsets(blocks_.size());
    for (int block : order)
      offsets[block] = lowest(offsets, block);
    return offsets;
  }

 private:
  bool fits(const Offsets& offsets, int block, std::int64_t offset) const {
    if (!line_.holds(offset, blocks_[block].size)) return false;
    return std::all_of(meets_[block].begin(), meets_[block].end(), [&](int other) {
      return !offsets[other] || compatible(blocks_, block, offset, other, *offsets[other]);
    });
  }

  const std::vector<Block>& blocks_;
  const BankLine& line_;
  std::vector<std::vector<int>> meets_;  ///< alive at the same time
};

/// A placement and the order it came from.
struct Placed {
  std::vector<int> order;
  Offsets offsets;
  std::int64_t size = 0;
};

Placed place(const std::vector<Block>& blocks, const Placer& placer, std::vector<int> order) {
  Placed placed{std::move(order), {}, 0};
  placed.offsets = placer.place(placed.order);
  placed.size = end_of_all(blocks, placed.offsets);
  return placed;
}

/// Moves the block that reaches highest, or any one, to another place in the order, again and
/// again, and keeps what is no larger. Always the same moves.
Placed improve(const std::vector<Block>& blocks, const Placer& placer, Placed best,
               std::int64_t goal) {
  constexpr int most_moves = 3000;
  std::mt19937 random(1);
  const auto below = [&](std::size_t count) { return random() % count; };
  for (int move = 0; move < most_moves && best.size > goal; ++move) {
    std::vector<int> order = best.order;
    auto from = order.begin() + below(order.size());
    if (move % 2)
      from = std::max_element(order.begin(), order.end(), [&](int a, int b) {
        return blocks[a].end_of(*best.offsets[a]) < blocks[b].end_of(*best.offsets[b]);
      });
    const int block = *from;
    order.erase(from);
    order.insert(order.begin() + below(order.size() + 1), block);
    Placed next = place(blocks, placer, std::move(order));
    if (next.size <= best.size) best = std::move(next);
  }
  return best;
}

/// Tries every order, larger blocks first, and cuts off what grows no smaller than the best; gives
/// up after a fixed number of steps.
class Search {
 public:
  Search(const std::vector<Block>& blocks, const Placer& placer, Placed start, std::int64_t goal)
      : blocks_(blocks),
        placer_(placer),
        best_(std::move(start)),
        order_(best_.order),
        goal_(goal) {
    std::stable_sort(order_.begin(), order_.end(),
                     [&](int a, int b) { return blocks[a].size > blocks[b].size; });
  }

  Placed run() {
    Offsets offsets(blocks_.size());
    lay(offsets, 0, 0);
    return best_;
  }

 private:
  static constexpr int most_steps = 100000;

  void lay(Offsets& offsets, std::size_t laid, std::int64_t size) {
    if (laid == order_.size()) {
      best_.offsets = offsets;
      best_.size = size;
      return;
    }
    for (int block : order_) {
      if (offsets[block]) continue;
      if (best_.size <= goal_ || ++steps_ > most_steps) return;
      offsets[block] = placer_.lowest(offsets, block);
      const std::int64_t end = std::max(size, blocks_[block].end_of(*offsets[block]));
      if (end < best_.size) lay(offsets, laid + 1, end);
      offsets[block].reset();
    }
  }

  const std::vector<Block>& blocks_;
  const Placer& placer_;
  Placed best_;
  std::vector<int> order_;
  std::int64_t goal_;
  int steps_ = 0;
};

/// Orders that placement does well with: by size, by size times lifetime, by execution.
std::vector<std::vector<int>> placement_orders(const std::vector<Block>& blocks) {
  std::vector<int> by_step;
  for (int i = 0; i < static_cast<int>(blocks.size()); ++i)
    if (blocks[i].is_used()) by_step.push_back(i);
  std::stable_sort(by_step.begin(), by_step.end(),
                   [&](int a, int b) { return blocks[a].first < blocks[b].first; });
  auto by_size = by_step;
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](int a, int b) { return blocks[a].size > blocks[b].size; });
  auto by_area = by_step;
  const auto area = [&](int i) { return blocks[i].size * (blocks[i].last - blocks[i].first + 1); };
  std::stable_sort(by_area.begin(), by_area.end(), [&](int a, int b) { return area(a) > area(b); });
  return {by_size, by_area, by_step};
}

}  // namespace

BankLine::BankLine(std::span<const std::int64_t> sizes) {
  std::int64_t start = 0;
  for (const std::int64_t size : sizes) {
    starts_.push_back(start);
    start += size;
  }
}

std::size_t BankLine::bank_of(std::int64_t offset) const {
  return static_cast<std::size_t>(std::ranges::upper_bound(starts_, offset) - starts_.begin() - 1);
}

bool BankLine::holds(std::int64_t offset, std::int64_t size) const {
  const std::size_t next = bank_of(offset) + 1;
  return next == starts_.size() || offset + size <= starts_[next];
}

bool is_valid(const std::vector<Block>& blocks, const Offsets& offsets) {
  for (std::size_t block = 0; block < blocks.size(); ++block)
    for (std::size_t other = 0; other < block; ++other)
      if (*offsets[block] < 0 || !compatible(blocks, static_cast<int>(block), *offsets[block],
                                             static_cast<int>(other), *offsets[other]))
        return false;
  return true;
}

std::int64_t end_of_all(const std::vector<Block>& blocks, const Offsets& offsets) {
  std::int64_t size = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i)
    if (offsets[i] && blocks[i].is_used()) size = std::max(size, blocks[i].end_of(*offsets[i]));
  return size;
}

Offsets place_blocks(const std::vector<Block>& blocks, const BankLine& line, std::int64_t goal) {
  const Placer placer(blocks, line);
  std::optional<Placed> best;
  for (auto& order : placement_orders(blocks)) {
    Placed placed = place(blocks, placer, std::move(order));
    if (!best || placed.size < best->size) best = std::move(placed);
  }
  Placed placed = improve(blocks, placer, std::move(*best), goal);
  if (placed.size > goal) placed = Search(blocks, placer, std::move(placed), goal).run();
  for (auto& offset : placed.offsets)
    if (!offset) offset = 0;
  return std::move(placed.offsets);
}

}  // namespace assay
