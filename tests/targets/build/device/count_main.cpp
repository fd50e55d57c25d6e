// Watches the cycle counter for three rounds of SysTick, quiet windows included, and reports.
#include "targets/port/port.hpp"

namespace {

void print(const char* text) {
  std::size_t size = 0;
  while (text[size] != '\0')
    ++size;
  assay::port::transmit(reinterpret_cast<const std::uint8_t*>(text), size);
}

/// True when the counter reaches `target` without ever stepping back or leaping.
bool counts_evenly_to(std::uint32_t target) {
  std::uint32_t last = assay::port::cycles();
  bool quiet = false;
  for (std::uint32_t step = 0; last < target; ++step) {
    if (step % 1000 == 999) {
      quiet ? assay::port::end_quiet() : assay::port::begin_quiet();
      quiet = !quiet;
    }
    const std::uint32_t now = assay::port::cycles();
    if (now - last > 1u << 20) return false;
    last = now;
  }
  return true;
}

/// The same without quiet windows, so that whole rounds of 2^24 pass by interrupt alone.
bool carries_over() {
  const std::uint32_t begin = assay::port::cycles();
  std::uint32_t last = begin;
  while (last - begin < 3u << 24) {
    const std::uint32_t now = assay::port::cycles();
    if (now - last > 1u << 20) return false;
    last = now;
  }
  return true;
}

}  // namespace

int main() {
  assay::port::initialize();
  const bool good = carries_over() && counts_evenly_to(assay::port::cycles() + (3u << 24));
  print(good ? "counts evenly\n" : "counter jumped\n");
  while (true)
    assay::port::wait_for_input();
}
