#include "tests/boards/virtual/test_board.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>

#include "harness/core/clock.hpp"
#include "harness/core/file.hpp"

namespace assay::test {
namespace {

constexpr std::chrono::seconds limit{10};

}  // namespace

std::string firmware_path(const std::string& name, const BoardUnderTest& board,
                          const std::string& extension) {
  return std::string(VIRTUAL_FIRMWARE_FOLDER) + "/" + name + "_" + board.firmware_suffix + "." +
         extension;
}

Terminal::Terminal(const std::string& path)
    : descriptor_(open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)) {
  EXPECT_GE(descriptor_, 0) << path;
}

Terminal::~Terminal() {
  close(descriptor_);
}

void Terminal::write(const std::string& text) {
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t count = ::write(descriptor_, text.data() + sent, text.size() - sent);
    ASSERT_GT(count, 0);
    sent += static_cast<std::size_t>(count);
  }
}

bool Terminal::fill(std::chrono::milliseconds time) {
  pollfd waiting{descriptor_, POLLIN, 0};
  if (poll(&waiting, 1, static_cast<int>(time.count())) <= 0) return false;
  std::array<char, 4096> buffer{};
  const ssize_t count = read(descriptor_, buffer.data(), buffer.size());
  if (count > 0) received_.append(buffer.data(), static_cast<std::size_t>(count));
  return count > 0;
}

std::string Terminal::read_until(const std::string& end) {
  const Deadline deadline(limit);
  while (received_.find(end) == std::string::npos && fill(deadline.remaining())) {
  }
  const std::size_t at = received_.find(end);
  return read_exactly(at == std::string::npos ? received_.size() : at + end.size());
}

std::string Terminal::read_exactly(std::size_t size) {
  const Deadline deadline(limit);
  while (received_.size() < size && fill(deadline.remaining())) {
  }
  const std::string text = received_.substr(0, size);
  received_.erase(0, size);
  return text;
}

std::string Terminal::read_for(std::chrono::milliseconds time) {
  const Deadline deadline(time);
  while (!deadline.passed())
    fill(deadline.remaining());
  return read_exactly(received_.size());
}

std::unique_ptr<virtual_board::Board> start_board(const BoardUnderTest& which,
                                                  const std::string& firmware) {
  auto type = load_board_type(which.type);
  EXPECT_TRUE(type) << (type ? "" : type.error().message);
  auto board = virtual_board::Board::create({"a", *type, "VB0001"});
  EXPECT_TRUE(board) << (board ? "" : board.error().message);
  const auto image = read_bytes(firmware_path(firmware, which, "bin"));
  EXPECT_TRUE(image) << (image ? "" : image.error().message);
  virtual_board::Board::Access access(**board);
  for (std::size_t i = 0; i < image->size(); ++i)
    access.flash().clear_bits(static_cast<std::uint32_t>(i),
                              std::to_integer<std::uint8_t>((*image)[i]));
  access.reset();
  return std::move(*board);
}

}  // namespace assay::test
