#include "harness/core/elf.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>
#include <unistd.h>

#include <cstring>
#include <memory>

#include "harness/core/process.hpp"

namespace assay {
namespace {

struct ElfClose {
  void operator()(Elf* elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, ElfClose>;

class FileDescriptor {
 public:
  explicit FileDescriptor(const std::filesystem::path& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~FileDescriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

Bytes programmed_bytes(Elf* elf) {
  std::size_t count = 0;
  Bytes total;
  if (elf_getphdrnum(elf, &count) != 0) return total;
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (gelf_getphdr(elf, static_cast<int>(i), &header) && header.p_type == PT_LOAD)
      total += Bytes(header.p_filesz);
  }
  return total;
}

/// The descriptor of the first GNU build-id note in a note section, as hex, or nothing.
std::string build_id_in(Elf_Scn* section) {
  Elf_Data* data = elf_getdata(section, nullptr);
  std::size_t offset = 0;
  GElf_Nhdr note;
  std::size_t name = 0;
  std::size_t description = 0;
  while (data && (offset = gelf_getnote(data, offset, &note, &name, &description)) > 0) {
    const char* bytes = static_cast<const char*>(data->d_buf);
    if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 ||
        std::memcmp(bytes + name, "GNU", 4) != 0)
      continue;
    std::string hex;
    for (std::size_t i = 0; i < note.n_descsz; ++i)
      hex += fmt::format("{:02x}", static_cast<unsigned char>(bytes[description + i]));
    return hex;
  }
  return {};
}

/// Adds the functions of a symbol table, which is `section`.
void add_functions(Elf* elf, Elf_Scn* section, const GElf_Shdr& header, ElfImage& image) {
  Elf_Data* data = elf_getdata(section, nullptr);
  if (!data || header.sh_entsize == 0) return;
  for (std::size_t i = 0; i < header.sh_size / header.sh_entsize; ++i) {
    GElf_Sym symbol;
    if (!gelf_getsym(data, static_cast<int>(i), &symbol)) continue;
    if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC) continue;
    if (const char* name = elf_strptr(elf, header.sh_link, symbol.st_name))
      image.functions[name] = Bytes(symbol.st_size);
  }
}

}  // namespace

Result<ElfImage> read_elf(const std::filesystem::path& path) {
  elf_version(EV_CURRENT);
  const FileDescriptor file(path);
  const ElfHandle elf(file.get() < 0 ? nullptr : elf_begin(file.get(), ELF_C_READ, nullptr));
  std::size_t names = 0;
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF || elf_getshdrstrndx(elf.get(), &names) != 0)
    return fail(ErrorKind::bad_input, fmt::format("{} is not a readable ELF file", path.string()));

  ElfImage image;
  image.programmed = programmed_bytes(elf.get());
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf.get(), section));) {
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header)) continue;
    const char* name = elf_strptr(elf.get(), names, header.sh_name);
    if (name && (header.sh_flags & SHF_ALLOC) != 0) image.sections[name] = Bytes(header.sh_size);
    if (header.sh_type == SHT_SYMTAB) add_functions(elf.get(), section, header, image);
    if (header.sh_type == SHT_NOTE && image.build_id.empty()) image.build_id = build_id_in(section);
  }
  return image;
}

std::string build_identity(const std::filesystem::path& file) {
  std::error_code code;
  const auto real = std::filesystem::canonical(file, code);
  if (code) return "absent";
  const auto image = read_elf(real);
  const bool has_id = image && !image->build_id.empty();
  return fmt::format(
      "{} {}", real.filename().string(),
      has_id ? image->build_id : std::to_string(std::filesystem::file_size(real, code)));
}

std::string program_identity(std::string_view program) {
  const auto file = find_program(program);
  return file ? build_identity(*file) : "absent";
}

}  // namespace assay
