#include "harness/run/trial_stage.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "boards/station/desk.hpp"
#include "boards/station/lock.hpp"
#include "compress/onnx/model.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
#include "targets/build/firmware.hpp"
#include "targets/build/linux_program.hpp"
#include "targets/build/trial.hpp"
#include "targets/graph/lower.hpp"

namespace assay {
namespace {

namespace fs = std::filesystem;
using Entries = std::span<const TrialEntry>;

// An allowance for a layer's share of run() and for what its constants are filled up with, so that
// what just fits here fits in the firmware, too.
constexpr Bytes call_bytes{48};

// Under Linux, where no flash is full, this keeps what the compiler holds at once small.
constexpr Bytes constants_of_program{2u << 20};

Bytes room_for_constants(const Part& part) {
  return part.runs_linux() ? constants_of_program : part.flash().size;
}

Bytes left_of(Bytes size, Bytes used) {
  return size > used ? size - used : Bytes(0);
}

/// Runs the entries of one model, in as many firmwares as the flash asks for.
class TrialRun {
 public:
  TrialRun(const IntegerGraph& graph, FirmwareRequest build, std::string hash, Desk& desk,
           Board board)
      : graph_(graph),
        build_(std::move(build)),
        hash_(std::move(hash)),
        desk_(desk),
        board_(std::move(board)) {}

  Status run(Entries entries, std::stop_token stop) {
    if (entries.empty()) return {};
    if (entries.size() > 1 && constants_of(entries) > room_for_constants(board_.type.part))
      return halve(entries, stop);
    ASSAY_TRY(build_.model, generate_trial(graph_, entries, hash_));
    if (entries.size() > 1 && build_.model.arena_bytes > board_.type.part.ram().size)
      return halve(entries, stop);
    const auto image = build_firmware(build_, stop);
    if (image) return count(entries, *image, stop);
    if (image.error().kind != ErrorKind::failed_verdict) return tl::unexpected(image.error());
    if (entries.size() > 1) return halve(entries, stop);
    tried_of(entries.front()).refused = "alone it " + image.error().message;
    return {};
  }

  /// Tells every kernel of every layer, without figures yet.
  void announce(Entries entries) {
    trial_.layers.resize(graph_.layers.size());
    for (const TrialEntry& entry : entries) {
      const LayerView view(graph_, graph_.layers[entry.layer]);
      const DeployedLayer deployed = deploy_layer(view, *entry.kernel);
      trial_.layers[entry.layer].push_back({std::string(entry.kernel->name),
                                            entry.kernel->form,
                                            deployed.constant_bytes,
                                            deployed.scratch,
                                            {},
                                            {},
                                            {}});
    }
  }
  const Trial& trial() const { return trial_; }

 private:
  TriedKernel& tried_of(const TrialEntry& entry) {
    return *std::ranges::find(trial_.layers[entry.layer], entry.kernel->name, &TriedKernel::kernel);
  }

  Bytes constants_of(Entries entries) {
    Bytes sum;
    for (const TrialEntry& entry : entries)
      sum += tried_of(entry).constants;
    return sum;
  }

  Status halve(Entries entries, std::stop_token stop) {
    ASSAY_CHECK(run(entries.first(entries.size() / 2), stop));
    return run(entries.subspan(entries.size() / 2), stop);
  }

  Status count(Entries entries, const FirmwareImage& image, std::stop_token stop) {
    if (!board_.type.part.runs_linux()) note_what_is_left(image);
    MeasureRequest request;
    request.elf = image.elf;
    request.build_id = image.build_id;
    request.model_hash = hash_;
    request.clock = image.clock;
    request.inputs = trial_requests(entries.size());
    for (const TrialEntry& entry : entries) {
      const auto answer = trial_answer(graph_, entry.layer);
      request.expected_logits.insert(request.expected_logits.end(), answer.begin(), answer.end());
    }
    ASSAY_TRY(const auto counts, desk_.count_samples(board_, request, stop));
    if (!counts.wrong.empty()) return wrong_outputs(entries[counts.wrong.front()]);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      TriedKernel& tried = tried_of(entries[i]);
      tried.code = trial_code_bytes(image.functions, i);
      tried.cycles = counts.costs[i].cycles;
      if (!tried.cycles) tried.instructions = counts.costs[i].instructions;
    }
    return {};
  }

  tl::unexpected<Error> wrong_outputs(const TrialEntry& entry) const {
    return fail(
        ErrorKind::failed_verdict,
        fmt::format("kernel {} computes other outputs of layer \"{}\" on {} than the "
                    "reference kernel does: it is wrong, and nothing was built",
                    entry.kernel->name, graph_.layers[entry.layer].name, board_.type.part.name));
  }

  /// What the runtime leaves of a microcontroller, the same in every trial.
  void note_what_is_left(const FirmwareImage& image) {
    Bytes calls;
    for (std::size_t i = 0; i < graph_.layers.size(); ++i)
      calls += call_bytes;
    const Part& part = board_.type.part;
    trial_.flash_left = left_of(part.flash().size, image.rom_runtime + calls);
    trial_.ram_left = left_of(part.ram().size, image.ram_static + image.stack_reserve);
  }

  const IntegerGraph& graph_;
  FirmwareRequest build_;
  std::string hash_;
  Desk& desk_;
  Board board_;
  Trial trial_;
};

std::vector<TrialEntry> all_entries(const IntegerGraph& graph, const Core& core) {
  std::vector<TrialEntry> entries;
  for (std::size_t layer = 0; layer < graph.layers.size(); ++layer)
    for (const KernelRow* row : candidate_kernels({graph, graph.layers[layer]}, core))
      entries.push_back({layer, row});
  return entries;
}

Json to_json(const TriedKernel& tried) {
  Json json{{"kernel", tried.kernel},
            {"constant_bytes", tried.constants.count()},
            {"scratch_bytes", tried.scratch.count()}};
  if (tried.code) json["code_bytes"] = tried.code->count();
  if (tried.cycles) json["modelled_cycles"] = tried.cycles->count();
  if (tried.instructions) json["instructions"] = tried.instructions->count();
  if (!tried.refused.empty()) json["refused"] = tried.refused;
  return json;
}

Json to_json(const Trial& trial, const BoardType& type) {
  Json layers = Json::array();
  for (const auto& kernels : trial.layers) {
    layers.push_back(Json::array());
    for (const TriedKernel& tried : kernels)
      layers.back().push_back(to_json(tried));
  }
  Json json{{"part", type.part.name}, {"layers", layers}};
  if (!trial.notice.empty()) json["notice"] = trial.notice;
  if (trial.flash_left) json["flash_left_bytes"] = trial.flash_left->count();
  if (trial.ram_left) json["ram_left_bytes"] = trial.ram_left->count();
  return json;
}

template <class Quantity>
std::optional<Quantity> read_count(JsonObject& object, const std::string& key) {
  const auto count = object.maybe<std::uint64_t>(key);
  return count ? std::optional(Quantity(*count)) : std::nullopt;
}

TriedKernel read_kernel(JsonObject& object) {
  TriedKernel tried;
  tried.kernel = object.required<std::string>("kernel");
  if (const KernelRow* row = kernel_named(tried.kernel))
    tried.form = row->form;
  else
    object.problem("kernel", "expected a row of the kernel table, found " + tried.kernel);
  tried.constants = Bytes(object.required<std::uint64_t>("constant_bytes"));
  tried.scratch = Bytes(object.required<std::uint64_t>("scratch_bytes"));
  tried.code = read_count<Bytes>(object, "code_bytes");
  tried.cycles = read_count<Cycles>(object, "modelled_cycles");
  tried.instructions = read_count<Instructions>(object, "instructions");
  tried.refused = object.optional<std::string>("refused", "");
  return tried;
}

/// Whether what instructions are counted with under Linux is installed. Nothing is asked of a
/// microcontroller's tools: without them nothing can be built either.
Status check_tools(const Core& core) {
  if (!core.linux_tools) return {};
  ASSAY_CHECK(check_compiler(*core.linux_tools));
  return check_counting(*core.linux_tools);
}

}  // namespace

std::uint64_t TriedKernel::work() const {
  if (cycles) return cycles->count();
  return instructions ? instructions->count() : 0;
}

Status try_kernels_stage(const TrialOrder& order, const fs::path& directory, std::stop_token stop) {
  const BoardType& board_type = order.board_type;
  if (const auto possible = check_tools(board_type.part.core); !possible) {
    Trial none;
    none.notice = "no instructions can be counted, for " + possible.error().message;
    return write_atomically(directory / "trial.json", to_json(none, board_type).dump(2));
  }
  ASSAY_TRY(const auto model, onnx::read_model(order.model));
  ASSAY_TRY(const auto graph, lower(model, order.model));
  ASSAY_TRY(auto hash, sha256_file(order.model));
  const auto entries = all_entries(graph, board_type.part.core);
  const Board board = implicit_virtual_board(board_type);
  ASSAY_TRY(auto desk, Desk::open({board}, board_lock_folder()));
  ASSAY_TRY(const auto folder, ScratchDirectory::create(directory, "firmware-"));
  FirmwareRequest build;
  build.board = board_type;
  build.clock = order.clock;
  build.compiler_level = order.compiler_level;
  build.output_directory = folder.path();
  TrialRun run(graph, std::move(build), std::move(hash), desk, board);
  run.announce(entries);
  ASSAY_CHECK(run.run(entries, stop));
  return write_atomically(directory / "trial.json", to_json(run.trial(), board_type).dump(2));
}

Result<Trial> read_trial(const fs::path& path) {
  ASSAY_TRY(const auto json, read_json_file(path));
  Trial trial;
  JsonErrors errors(path.string());
  {
    JsonObject object(json, "", errors);
    object.required<std::string>("part");
    trial.notice = object.optional<std::string>("notice", "");
    trial.flash_left = read_count<Bytes>(object, "flash_left_bytes");
    trial.ram_left = read_count<Bytes>(object, "ram_left_bytes");
    const Json& layers = object.raw("layers");
    for (std::size_t i = 0; layers.is_array() && i < layers.size(); ++i) {
      auto& kernels = trial.layers.emplace_back();
      for (std::size_t k = 0; k < layers[i].size(); ++k) {
        JsonObject kernel(layers[i][k], fmt::format("layers[{}][{}]", i, k), errors);
        kernels.push_back(read_kernel(kernel));
      }
    }
  }
  ASSAY_CHECK(errors.status());
  return trial;
}

}  // namespace assay
