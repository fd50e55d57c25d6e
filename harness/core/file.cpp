#include "harness/core/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace assay {
namespace {

namespace fs = std::filesystem;

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }
  /// Closes now and reports whether that worked: a full disk may show only here.
  bool close() { return ::close(std::exchange(value_, -1)) == 0; }

 private:
  int value_;
};

template <class Buffer>
Result<Buffer> read_whole(const fs::path& path) {
  auto failed = [&] {
    return fail(ErrorKind::bad_input,
                fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  };
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) return failed();
  if (S_ISDIR(info.st_mode)) return errno = EISDIR, failed();
  Buffer content;
  content.resize(static_cast<std::size_t>(info.st_size));
  std::size_t done = 0;
  while (true) {
    if (done == content.size()) content.resize(done + 4096);  // grown since, or a pipe
    const auto count = ::read(file.get(), content.data() + done, content.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed();
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  content.resize(done);
  return content;
}

Status write_failed(const fs::path& path) {
  return fail(ErrorKind::infrastructure,
              fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
}

bool write_all(int descriptor, std::span<const std::byte> data) {
  while (!data.empty()) {
    const auto count = ::write(descriptor, data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

void sync_folder(const fs::path& folder) {
  Descriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.get() >= 0) ::fsync(handle.get());
}

}  // namespace

Result<std::string> read_text(const fs::path& path) {
  return read_whole<std::string>(path);
}

Result<std::vector<std::byte>> read_bytes(const fs::path& path) {
  return read_whole<std::vector<std::byte>>(path);
}

Status write_atomically(const fs::path& path, std::string_view content) {
  return write_atomically(path, std::as_bytes(std::span(content.data(), content.size())));
}

Status write_atomically(const fs::path& path, std::span<const std::byte> content) {
  const auto folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) return errno = code.value(), write_failed(path);
  std::string temporary = (folder / fmt::format(".{}.XXXXXX", path.filename().string())).string();
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) return write_failed(path);
  const bool written = ::fchmod(file.get(), 0644) == 0 && write_all(file.get(), content) &&
                       ::fsync(file.get()) == 0 && file.close() &&
                       ::rename(temporary.c_str(), path.c_str()) == 0;
  if (!written) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    return errno = reason, write_failed(path);
  }
  sync_folder(folder);
  return {};
}

Result<ScratchDirectory> ScratchDirectory::create(const fs::path& parent, std::string_view prefix) {
  std::error_code code;
  fs::create_directories(parent, code);
  std::string name = (parent / (std::string(prefix) + "XXXXXX")).string();
  if (code || !::mkdtemp(name.data()))
    return fail(ErrorKind::infrastructure,
                fmt::format("cannot create a folder in {}: {}", parent.string(),
                            std::strerror(code ? code.value() : errno)));
  ::chmod(name.c_str(), 0755);
  return ScratchDirectory(fs::path(name));
}

ScratchDirectory::ScratchDirectory(ScratchDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

ScratchDirectory& ScratchDirectory::operator=(ScratchDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Status ScratchDirectory::publish(const fs::path& destination) && {
  for (const auto& entry : fs::recursive_directory_iterator(path_)) {
    if (!entry.is_regular_file()) continue;
    Descriptor file(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0 || ::fsync(file.get()) != 0) return write_failed(entry.path());
  }
  sync_folder(path_);
  std::error_code code;
  fs::create_directories(destination.parent_path(), code);
  if (::rename(path_.c_str(), destination.c_str()) != 0) {
    if (errno == EEXIST || errno == ENOTEMPTY) return {};
    return write_failed(destination);
  }
  path_.clear();
  sync_folder(destination.parent_path());
  return {};
}

}  // namespace assay
