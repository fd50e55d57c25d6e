#include "tests/support/faulty_link.hpp"

#include <algorithm>

namespace assay::test {

bool FaultyLink::happens(double probability) {
  if (probability == 0) return false;
  const bool yes = std::uniform_real_distribution<>(0, 1)(random_) < probability;
  faults_ += yes;
  return yes;
}

std::vector<std::byte> FaultyLink::damage(std::span<const std::byte> data) {
  std::vector<std::byte> result;
  for (std::byte byte : data) {
    if (happens(rates_.drop_byte)) continue;
    if (happens(rates_.flip_bit)) byte ^= std::byte{1} << (random_() % 8);
    result.push_back(byte);
    if (happens(rates_.insert_byte)) result.push_back(std::byte(random_() % 256));
  }
  return result;
}

Status FaultyLink::write(std::span<const std::byte> data) {
  if (happens(rates_.drop_write)) return {};
  const int times = happens(rates_.repeat_write) ? 2 : 1;
  for (int i = 0; i < times; ++i)
    ASSAY_CHECK(inner_.write(damage(data)));
  return {};
}

Result<std::size_t> FaultyLink::read(std::span<std::byte> buffer,
                                     std::chrono::milliseconds timeout) {
  std::vector<std::byte> chunk(buffer.size());
  ASSAY_TRY(const std::size_t count, inner_.read(chunk, timeout));
  chunk.resize(count);
  if (count > 0 && !happens(rates_.drop_read)) {
    if (happens(rates_.delay_read)) held_until_ = clock_.now() + rates_.delay;
    const int times = happens(rates_.repeat_read) ? 2 : 1;
    for (int i = 0; i < times; ++i) {
      const std::vector<std::byte> damaged = damage(chunk);
      waiting_.insert(waiting_.end(), damaged.begin(), damaged.end());
    }
  }
  if (clock_.now() < held_until_) return std::size_t{0};
  const std::size_t given = std::min(buffer.size(), waiting_.size());
  std::copy_n(waiting_.begin(), given, buffer.begin());
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(given));
  return given;
}

}  // namespace assay::test
