// The plain transport under every real link: poll(), read() and write() on non-blocking file
// descriptors. One thread.
#pragma once

#include <vector>

#include "boards/link/link.hpp"

namespace assay {

/// Moves bytes through one descriptor, or one for each direction. Owns none of them: the heir that
/// opened them closes them.
class FdLink : public Link {
 public:
  Result<std::size_t> read(std::span<std::byte> buffer, std::chrono::milliseconds timeout) override;
  /// Goes on reading while it writes, so that two sides that both write never wait for each other.
  /// Errors: infrastructure when the device takes no byte for 3 seconds or went away.
  Status write(std::span<const std::byte> data) override;
  std::string name() const override { return name_; }

 protected:
  explicit FdLink(std::string name) : name_(std::move(name)) {}
  /// Makes them non-blocking and uses them from now on.
  Status attach(int read_fd, int write_fd);

 private:
  Result<std::size_t> read_now(std::span<std::byte> buffer);
  Status stash();
  tl::unexpected<Error> gone(const char* what) const;

  std::string name_;
  int read_fd_ = -1;
  int write_fd_ = -1;
  std::vector<std::byte> inbox_;  // read during write()
  std::size_t inbox_used_ = 0;
};

}  // namespace assay
