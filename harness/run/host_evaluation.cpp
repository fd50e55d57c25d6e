#include "harness/run/host_evaluation.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "boards/link/pipe_link.hpp"
#include "boards/link/session.hpp"
#include "compress/data/score.hpp"
#include "compress/onnx/model.hpp"
#include "harness/core/file.hpp"
#include "harness/core/hash.hpp"
#include "targets/build/generate.hpp"
#include "targets/build/host_target.hpp"
#include "targets/graph/input.hpp"
#include "targets/graph/lower.hpp"

namespace assay {
namespace {

constexpr int images_per_batch = 500;
constexpr std::chrono::seconds patience{60};  // only a hang is silent that long

/// A model ready to be fed: its graph for the shape and scale of the input, and the normalization.
struct InputReader {
  ActivationTensor tensor;
  InputNormalization normalization;

  static Result<InputReader> make(const onnx::Model& model, const IntegerGraph& graph,
                                  const ImageSet& images, const std::string& source) {
    const auto& tensor = graph.tensors.at(static_cast<std::size_t>(graph.input));
    if (tensor.height != images.height || tensor.width != images.width ||
        tensor.channels != images.channels)
      return fail(ErrorKind::bad_input,
                  fmt::format("{} takes {}x{}x{} inputs, the data set has {}x{}x{} images", source,
                              tensor.height, tensor.width, tensor.channels, images.height,
                              images.width, images.channels));
    ASSAY_TRY(auto normalization, read_normalization(model, tensor.channels));
    return InputReader{tensor, std::move(normalization)};
  }

  std::vector<std::int8_t> inputs(const ImageSet& images, int first, int count) const {
    std::vector<std::int8_t> all;
    const auto pixels = static_cast<std::size_t>(images.channels) * images.height * images.width;
    for (int i = first; i < first + count; ++i) {
      const auto one = network_input({images.image(i), pixels}, normalization, tensor);
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  }
};

/// Streams a split through the program and returns its outputs [images][outputs]; `score` sees them
/// as the real numbers that `output` makes of them.
Result<std::vector<std::int8_t>> run_split(Session& session, const InputReader& reader,
                                           const ActivationTensor& output, const ImageSet& images,
                                           Score& score,
                                           const std::function<void(int done)>& progress) {
  std::vector<std::int8_t> outputs;
  std::vector<float> reals;
  int done = 0;
  Status scored;
  const auto see = [&](std::size_t, ElementBytes row) {
    reals.clear();
    for (std::int64_t i = 0; i < output.size(); ++i)
      reals.push_back(output.scale * (read_element(row, i, output.element) -
                                      static_cast<float>(output.zero_point)));
    if (scored) scored = score.add(done++, 1, reals);
    outputs.insert(outputs.end(), row.begin(), row.end());
  };
  for (int first = 0; first < images.count; first += images_per_batch) {
    const int count = std::min(images_per_batch, images.count - first);
    ASSAY_CHECK(session.stream(reader.inputs(images, first, count), see));
    ASSAY_CHECK(scored);
    progress(first + count);
  }
  return outputs;
}

}  // namespace

Result<std::vector<std::int8_t>> model_inputs(const std::filesystem::path& model_path,
                                              const ImageSet& images, int count) {
  ASSAY_TRY(const auto model, onnx::read_model(model_path));
  ASSAY_TRY(const auto graph, lower(model, model_path));
  ASSAY_TRY(const auto reader, InputReader::make(model, graph, images, model_path.string()));
  return reader.inputs(images, 0, std::min(count, images.count));
}

Status evaluate_on_host(const std::filesystem::path& model_path, const std::string& data,
                        const std::string& fingerprint, const std::filesystem::path& directory,
                        const std::function<void(double fraction)>& progress,
                        std::stop_token stop) {
  ASSAY_TRY(const auto info, find_dataset(data));
  ASSAY_TRY(const auto validation, load_split(data, Split::validation));
  ASSAY_TRY(const auto test, load_split(data, Split::test));
  ASSAY_CHECK(check_unchanged(data, fingerprint));
  ASSAY_TRY(const auto model, onnx::read_model(model_path));
  ASSAY_TRY(const auto graph, lower(model, model_path));
  ASSAY_TRY(const auto reader, InputReader::make(model, graph, test, model_path.string()));
  ASSAY_TRY(const auto hash, sha256_file(model_path));
  ASSAY_TRY(const auto generated, generate(graph, nullptr, hash));
  ASSAY_TRY(auto scratch, ScratchDirectory::create(directory, "host-"));
  ASSAY_TRY(const auto program, build_host_program(generated, scratch.path(), stop));

  ProcessSpec spec;
  spec.arguments = {program.executable.string()};
  ASSAY_TRY(const auto link, PipeLink::start(spec, "host"));
  LinkOptions options;
  options.stop = stop;
  options.silence = patience;
  options.on_silence = "the program hangs, or this machine is very busy; run again";
  ASSAY_TRY(auto session, Session::open(*link, patience, options));
  const double total = validation.count + test.count;
  const auto& output = graph.tensors.at(static_cast<std::size_t>(graph.output));
  Score on_validation(validation, info.class_names);
  ASSAY_CHECK(run_split(session, reader, output, validation, on_validation,
                        [&](int done) { progress(done / total); }));
  Score on_test(test, info.class_names);
  ASSAY_TRY(const auto logits, run_split(session, reader, output, test, on_test, [&](int done) {
              progress((validation.count + done) / total);
            }));

  Json notices = Json::array();
  for (const auto& notice : graph.notices)
    notices.push_back(notice);
  ASSAY_CHECK(write_atomically(directory / "logits.bin",
                               std::as_bytes(std::span<const std::int8_t>(logits))));
  return write_atomically(directory / "evaluation.json",
                          Json{{"model_sha256", hash},
                               {"data", data},
                               {"outputs", session.hello().output_size},
                               {"element", to_string(output.element)},
                               {"logit_bytes", session.hello().output_bytes()},
                               {"macc", generated.macs.count()},
                               {"validation", on_validation.json()},
                               {"test", on_test.json()},
                               {"notices", notices}}
                              .dump(2));
}

}  // namespace assay
