// Accepts connections on a listening socket and serves each on a thread of its own. Destruction
// ends every connection and waits for its thread.
#pragma once

#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "boards/virtual/sockets.hpp"
#include "boards/virtual/wake_event.hpp"

namespace assay::virtual_board {

class ConnectionServer {
 public:
  /// `serve` runs until the peer leaves; shutdown() on its socket makes it return.
  ConnectionServer(Descriptor listener, std::function<void(int socket)> serve);
  ~ConnectionServer();

 private:
  struct Connection {
    Descriptor socket;
    std::thread thread;
    bool done = false;
  };
  void accept_all();
  void remove_finished();

  Descriptor listener_;
  std::function<void(int socket)> serve_;
  std::mutex mutex_;
  std::list<Connection> connections_;
  WakeEvent stop_;
  std::thread thread_;
};

}  // namespace assay::virtual_board
