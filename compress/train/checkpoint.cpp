#include "compress/train/checkpoint.hpp"

#include <fmt/format.h>
#include <torch/serialize.h>

#include <sstream>

#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"

namespace assay {
namespace {

constexpr const char* file_name = "checkpoint.pt";
// Torch reads a stored tensor without looking at the archive's checksum, so the file ends with one
// of its own.
constexpr std::size_t checksum_length = 64;

/// The archive in a checkpoint file; nothing when a byte of it has changed.
std::optional<std::string> read_archive(const std::filesystem::path& path) {
  auto content = read_text(path);
  if (!content || content->size() < checksum_length) return std::nullopt;
  const std::string checksum = content->substr(content->size() - checksum_length);
  content->resize(content->size() - checksum_length);
  if (sha256_hex(*content) != checksum) return std::nullopt;
  return std::move(*content);
}

std::string tensor_key(std::size_t index) {
  return fmt::format("t{}", index);
}

}  // namespace

Status write_checkpoint(const std::filesystem::path& folder, const Checkpoint& checkpoint,
                        const torch::optim::AdamW& optimizer) {
  std::ostringstream bytes;
  try {
    torch::serialize::OutputArchive archive;
    archive.write("identity", c10::IValue(checkpoint.identity));
    archive.write("epochs", c10::IValue(checkpoint.epochs.dump()));
    archive.write("seconds", c10::IValue(checkpoint.spent.seconds));
    archive.write("cpu_seconds", c10::IValue(checkpoint.spent.cpu_seconds));
    // Names of tensors may hold characters that an archive's keys must not.
    Json names = Json::array();
    torch::serialize::OutputArchive tensors;
    for (const auto& [name, tensor] : checkpoint.tensors) {
      tensors.write(tensor_key(names.size()), c10::IValue(tensor.detach()));
      names.push_back(name);
    }
    archive.write("names", c10::IValue(names.dump()));
    archive.write("tensors", tensors);
    torch::serialize::OutputArchive moments;
    optimizer.save(moments);
    archive.write("optimizer", moments);
    archive.save_to(bytes);
  } catch (const c10::Error& error) {
    return fail(ErrorKind::infrastructure,
                fmt::format("cannot write a checkpoint: {}", error.what_without_backtrace()));
  }
  const std::string content = bytes.str();
  return write_atomically(folder / file_name, content + sha256_hex(content));
}

std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& folder,
                                          const std::string& identity,
                                          torch::optim::AdamW& optimizer) {
  const auto content = read_archive(folder / file_name);
  if (!content) return std::nullopt;
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(content->data(), content->size());
    c10::IValue value;
    archive.read("identity", value);
    if (value.toStringRef() != identity) return std::nullopt;
    Checkpoint checkpoint{identity, {}, {}, {}};
    archive.read("seconds", value);
    checkpoint.spent.seconds = value.toDouble();
    archive.read("cpu_seconds", value);
    checkpoint.spent.cpu_seconds = value.toDouble();
    archive.read("epochs", value);
    checkpoint.epochs = Json::parse(value.toStringRef());
    archive.read("names", value);
    const Json names = Json::parse(value.toStringRef());
    torch::serialize::InputArchive tensors;
    archive.read("tensors", tensors);
    for (std::size_t i = 0; i < names.size(); ++i) {
      tensors.read(tensor_key(i), value);
      checkpoint.tensors[names[i].get<std::string>()] = value.toTensor();
    }
    torch::serialize::InputArchive moments;
    archive.read("optimizer", moments);
    optimizer.load(moments);
    return checkpoint;
  } catch (const std::exception&) {
    return std::nullopt;  // of another version: a training without one is slower, not wrong
  }
}

}  // namespace assay
