#include "boards/virtual/connection_server.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>

namespace assay::virtual_board {

ConnectionServer::ConnectionServer(Descriptor listener, std::function<void(int socket)> serve)
    : listener_(std::move(listener)), serve_(std::move(serve)), thread_([this] { accept_all(); }) {}

ConnectionServer::~ConnectionServer() {
  stop_.signal();
  thread_.join();
  {
    const std::lock_guard lock(mutex_);
    for (Connection& connection : connections_)
      shutdown(connection.socket.get(), SHUT_RDWR);
  }
  for (Connection& connection : connections_)
    connection.thread.join();
}

void ConnectionServer::remove_finished() {
  const std::lock_guard lock(mutex_);
  connections_.remove_if([](Connection& connection) {
    if (!connection.done) return false;
    connection.thread.join();
    return true;
  });
}

void ConnectionServer::accept_all() {
  for (;;) {
    std::array<pollfd, 2> descriptors{pollfd{listener_.get(), POLLIN, 0},
                                      pollfd{stop_.descriptor(), POLLIN, 0}};
    poll(descriptors.data(), descriptors.size(), -1);
    if (descriptors[1].revents) return;
    Descriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    remove_finished();
    if (socket.get() < 0) continue;
    const std::lock_guard lock(mutex_);
    Connection& connection = connections_.emplace_back();
    connection.socket = std::move(socket);
    connection.thread = std::thread([this, &connection] {
      serve_(connection.socket.get());
      // The peer sees the end at once; the descriptor stays until the thread is collected.
      shutdown(connection.socket.get(), SHUT_RDWR);
      const std::lock_guard finished(mutex_);
      connection.done = true;
    });
  }
}

}  // namespace assay::virtual_board
