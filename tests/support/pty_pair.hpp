// A pseudo-terminal whose master side a test holds, raw from the start as a virtual board's is.
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

namespace assay::test {

class PtyPair {
 public:
  PtyPair() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    char name[64];
    termios settings{};
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0 ||
        ::ptsname_r(master_, name, sizeof name) != 0 || ::tcgetattr(master_, &settings) != 0)
      throw std::runtime_error("cannot make a pty");
    ::cfmakeraw(&settings);
    ::tcsetattr(master_, TCSANOW, &settings);
    path_ = name;
    // Held open, so that the pty survives clients that come and go.
    slave_ = ::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  }
  ~PtyPair() { unplug(); }
  PtyPair(const PtyPair&) = delete;
  PtyPair& operator=(const PtyPair&) = delete;

  int master() const { return master_; }
  const std::string& path() const { return path_; }
  /// The device goes away.
  void unplug() {
    if (master_ >= 0) ::close(master_);
    if (slave_ >= 0) ::close(slave_);
    master_ = slave_ = -1;
  }

 private:
  int master_;
  int slave_ = -1;
  std::string path_;
};

}  // namespace assay::test
