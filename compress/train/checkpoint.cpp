#include "compress/train/checkpoint.hpp"

#include <fmt/format.h>
#include <torch/serialize.h>

#include "harness/core/file.hpp"

namespace assay {
namespace {

constexpr const char* file_name = "checkpoint.pt";

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
  return write_atomically(folder / file_name, bytes.str());
}

std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& folder,
                                          const std::string& identity,
                                          torch::optim::AdamW& optimizer) {
  const auto path = folder / file_name;
  std::error_code unreadable;
  if (!std::filesystem::is_regular_file(path, unreadable)) return std::nullopt;
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(path.string());
    c10::IValue value;
    archive.read("identity", value);
    if (value.toStringRef() != identity) return std::nullopt;
    Checkpoint checkpoint{identity, {}, {}};
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
    return std::nullopt;  // damaged: a training without a checkpoint is slower, not wrong
  }
}

}  // namespace assay
