// Plain memory where a chip's registers are, so that drivers run on the host.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstdint>
#include <vector>

#include "targets/port/registers.hpp"

namespace assay::port {

/// Memory at register addresses, zero at first. It answers as written: status bits hold still.
class Registers : public ::testing::Test {
 protected:
  void map(std::uint32_t address) {
    constexpr std::size_t page = 4096;
    volatile std::uint32_t* first = &reg(address / page * page);
    void* where = const_cast<std::uint32_t*>(first);
    ASSERT_EQ(::mmap(where, page, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
              where);
    mapped_.push_back(where);
  }
  void TearDown() override {
    for (void* where : mapped_)
      ::munmap(where, 4096);
  }

 private:
  std::vector<void*> mapped_;
};

}  // namespace assay::port
