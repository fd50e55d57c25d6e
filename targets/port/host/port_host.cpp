// The porting contract over standard input and output: the `host` target, and boards that run
// Linux.
#include <elf.h>
#include <link.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "targets/port/port.hpp"

namespace assay::port {

void initialize() {}

// What a pipe holds (pipe(7)); its writer waits, so nothing is lost beyond that either.
std::size_t receive_capacity() {
  return 65536;
}

std::uint32_t receive_overruns() {
  return 0;
}

void wait_for_input() {}

std::uint32_t core_clock_hz() {
  return 0;
}

std::size_t receive(std::uint8_t* data, std::size_t capacity) {
  while (true) {
    const ssize_t count = read(STDIN_FILENO, data, capacity);
    if (count > 0) return static_cast<std::size_t>(count);
    if (count < 0 && errno == EINTR) continue;
    std::exit(count == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
  }
}

void transmit(const std::uint8_t* data, std::size_t size) {
  while (size > 0) {
    const ssize_t count = write(STDOUT_FILENO, data, size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) std::exit(EXIT_FAILURE);  // nobody listens any more
    data += count;
    size -= static_cast<std::size_t>(count);
  }
}

void begin_quiet() {}

void end_quiet() {}

bool has_cycle_counter() {
  return false;
}

std::uint32_t cycles() {
  return 0;
}

std::size_t unique_id(std::uint8_t*, std::size_t) {
  return 0;
}

namespace {

struct IdBuffer {
  std::uint8_t* data;
  std::size_t capacity;
  std::size_t size;
};

/// Looks for the note of type NT_GNU_BUILD_ID (elf.h) in one segment of notes.
void read_notes(const char* at, const char* end, IdBuffer& id) {
  const auto padded = [](std::size_t size) { return (size + 3) & ~std::size_t(3); };
  while (at + sizeof(ElfW(Nhdr)) <= end) {
    ElfW(Nhdr) note;
    std::memcpy(&note, at, sizeof note);
    const char* description = at + sizeof note + padded(note.n_namesz);
    if (note.n_type == NT_GNU_BUILD_ID && note.n_descsz <= id.capacity) {
      std::memcpy(id.data, description, note.n_descsz);
      id.size = note.n_descsz;
    }
    at = description + padded(note.n_descsz);
  }
}

}  // namespace

std::size_t build_id(std::uint8_t* out, std::size_t capacity) {
  IdBuffer id{out, capacity, 0};
  const auto visit = [](dl_phdr_info* object, std::size_t, void* context) {
    for (int i = 0; i < object->dlpi_phnum; ++i) {
      const auto& segment = object->dlpi_phdr[i];
      if (segment.p_type != PT_NOTE) continue;
      const char* begin = reinterpret_cast<const char*>(object->dlpi_addr + segment.p_vaddr);
      read_notes(begin, begin + segment.p_memsz, *static_cast<IdBuffer*>(context));
    }
    return 1;  // the program itself comes first; leave out its libraries
  };
  dl_iterate_phdr(visit, &id);
  return id.size;
}

std::uint32_t stack_high_water() {
  return 0;
}

std::uint32_t peak_resident_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);  // getrusage(2): ru_maxrss is in kilobytes
  return static_cast<std::uint32_t>(usage.ru_maxrss);
}

}  // namespace assay::port
