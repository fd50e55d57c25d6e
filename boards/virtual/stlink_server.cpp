#include "boards/virtual/stlink_server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "boards/virtual/sockets.hpp"
#include "boards/virtual/stlink_probe.hpp"

namespace assay::virtual_board {
namespace {

// First byte of a request.
constexpr std::uint8_t refresh_device_list = 0x00, get_device_count = 0x01, get_device_info = 0x02,
                       open_device = 0x03, close_device = 0x04, usb_command = 0x05,
                       get_server_version = 0x06;
// Status word at the front of every answer.
constexpr std::uint32_t ok = 1, bad_index = 0x1002, bad_handle = 0x1003;

constexpr std::uint32_t first_device_id = 100, first_handle = 7;
constexpr std::size_t largest_transfer = 1 << 16;
// Layout of a USB command: the command at 8, direction at 24, data length at 28.
constexpr std::size_t command_at = 8, command_size = 16, direction_at = 24, length_at = 28,
                      request_size = 32;
constexpr std::uint8_t to_probe = 0;

using Bytes = std::vector<std::uint8_t>;

void put_word(Bytes& bytes, std::size_t at, std::uint32_t value) {
  std::memcpy(&bytes[at], &value, 4);
}

class Client {
 public:
  Client(int socket, std::span<const std::unique_ptr<Board>> boards, bool trace)
      : socket_(socket), trace_(trace) {
    for (const auto& board : boards)
      if (Board::Access(*board).probe_present()) boards_.push_back(board.get());
  }

  void serve() {
    std::array<std::uint8_t, request_size> request{};
    while (receive_all(socket_, {request.data(), 1}) && answer(request)) {
    }
  }

 private:
  bool more(std::array<std::uint8_t, request_size>& request, std::size_t size) {
    return receive_all(socket_, {request.data() + 1, size - 1});
  }

  bool answer(std::array<std::uint8_t, request_size>& request) {
    Bytes reply(4, 0);
    put_word(reply, 0, ok);
    switch (request[0]) {
      case refresh_device_list:
        if (!more(request, 2)) return false;
        break;
      case get_device_count:
        put_word(reply, 0, static_cast<std::uint32_t>(boards_.size()));
        break;
      case get_device_info:
        if (!more(request, 8)) return false;
        describe(request[1], reply);
        break;
      case open_device:
        if (!more(request, 8)) return false;
        open(request, reply);
        break;
      case close_device:
        if (!more(request, 8)) return false;
        probe_.reset();
        break;
      case get_server_version:
        if (!more(request, 4)) return false;
        reply.resize(16);
        put_word(reply, 0, 3);  // API
        put_word(reply, 4, 2);
        put_word(reply, 8, 1);
        put_word(reply, 12, 1);
        break;
      case usb_command:
        return more(request, request_size) && forward(request);
      default:
        return false;
    }
    return send_all(socket_, reply);
  }

  void describe(std::size_t index, Bytes& reply) {
    reply.resize(45);
    if (index >= boards_.size()) return put_word(reply, 0, bad_index);
    put_word(reply, 4, first_device_id + static_cast<std::uint32_t>(index));
    const std::string& serial = boards_[index]->spec().serial;
    std::copy_n(serial.begin(), std::min<std::size_t>(serial.size(), 32), reply.begin() + 8);
    constexpr std::array<std::uint8_t, 4> usb_ids{0x83, 0x04, 0x4E, 0x37};  // ST-Link/V3E
    std::copy(usb_ids.begin(), usb_ids.end(), reply.begin() + 40);
  }

  void open(const std::array<std::uint8_t, request_size>& request, Bytes& reply) {
    std::uint32_t id = 0;
    std::memcpy(&id, &request[4], 4);
    reply.resize(8);
    if (id - first_device_id >= boards_.size()) return put_word(reply, 0, bad_handle);
    probe_.emplace(*boards_[id - first_device_id]);
    put_word(reply, 4, first_handle + id - first_device_id);
  }

  bool forward(const std::array<std::uint8_t, request_size>& request) {
    std::uint32_t length = 0;
    std::memcpy(&length, &request[length_at], 4);
    if (length > largest_transfer) return false;
    const bool out = request[direction_at] == to_probe;
    Bytes data(out ? length : 0);
    if (!receive_all(socket_, data)) return false;
    const std::span command(&request[command_at], command_size);
    if (trace_)
      spdlog::info("probe: {:02x} {} {} bytes", fmt::join(command.first(10), " "),
                   out ? "with" : "wants", length);
    Bytes reply(4, 0);
    put_word(reply, 0, probe_ ? ok : bad_handle);
    const Bytes answer =
        probe_ ? probe_->command(command, data, out ? 0 : length) : Bytes(out ? 0 : length, 0);
    reply.insert(reply.end(), answer.begin(), answer.end());
    return send_all(socket_, reply);
  }

  int socket_;
  bool trace_;
  std::vector<Board*> boards_;
  std::optional<StlinkProbe> probe_;
};

}  // namespace

void serve_stlink(int socket, std::span<const std::unique_ptr<Board>> boards, bool trace) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Client(socket, boards, trace).serve();
}

}  // namespace assay::virtual_board
