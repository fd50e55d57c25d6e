// Runs a FakeBoard in real time on a thread of its own, behind the master side of a pty.
#pragma once

#include <thread>

#include "tests/support/fake_board.hpp"

namespace assay::test {

/// Serves until destroyed; nothing else may touch the board meanwhile.
class BoardThread {
 public:
  explicit BoardThread(int master);

 private:
  std::jthread thread_;
};

}  // namespace assay::test
