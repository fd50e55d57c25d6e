// A link that treats bytes as a bad cable would, by a seeded script, and counts each wrong. One
// thread.
#pragma once

#include <deque>
#include <random>
#include <vector>

#include "boards/link/link.hpp"
#include "harness/core/clock.hpp"

namespace assay::test {

/// How often what happens: probabilities, by byte or by write() and read().
struct FaultRates {
  double drop_byte = 0;
  double flip_bit = 0;
  double insert_byte = 0;
  double drop_write = 0;    ///< a whole frame to the board is lost
  double repeat_write = 0;  ///< a whole frame to the board arrives twice
  double drop_read = 0;     ///< everything one read returned is lost
  double repeat_read = 0;   ///< everything one read returned comes twice
  double delay_read = 0;    ///< this and what follows is held back for `delay`
  std::chrono::milliseconds delay{700};
};

class FaultyLink : public Link {
 public:
  FaultyLink(Link& inner, const Clock& clock, FaultRates rates, std::uint32_t seed)
      : inner_(inner), clock_(clock), rates_(rates), random_(seed) {}
  Result<std::size_t> read(std::span<std::byte> buffer, std::chrono::milliseconds timeout) override;
  Status write(std::span<const std::byte> data) override;
  std::string name() const override { return inner_.name(); }

  void set_rates(FaultRates rates) { rates_ = rates; }
  std::size_t faults() const { return faults_; }

 private:
  bool happens(double probability);
  std::vector<std::byte> damage(std::span<const std::byte> data);

  Link& inner_;
  const Clock& clock_;
  FaultRates rates_;
  std::mt19937 random_;
  std::size_t faults_ = 0;
  std::deque<std::byte> waiting_;
  Clock::TimePoint held_until_{};
};

}  // namespace assay::test
