// Listening sockets and whole transfers, for the two servers of virtual-board.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "harness/core/result.hpp"

namespace assay::virtual_board {

/// An open file descriptor, closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return value_; }
  int release();

 private:
  int value_;
};

/// A TCP socket listening on 127.0.0.1; `port` 0 takes a free one. Errors: infrastructure.
Result<Descriptor> listen_tcp(std::uint16_t port);
/// The port a listening socket got.
std::uint16_t port_of(const Descriptor& socket);
/// A Unix stream socket listening at `path`. Errors: infrastructure (path too long, in use).
Result<Descriptor> listen_unix(const std::filesystem::path& path);

/// Exactly as many bytes as `buffer` holds; false when the peer went away.
bool receive_all(int socket, std::span<std::uint8_t> buffer);
bool send_all(int socket, std::span<const std::uint8_t> data);

}  // namespace assay::virtual_board
