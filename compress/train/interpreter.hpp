// Runs ONNX models on the host with Torch: float graphs, and the QDQ form with its rounding. Torch
// stays behind this header. One interpreter may be used by one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compress/onnx/model.hpp"

namespace assay {

/// A model ready to run.
class Interpreter {
 public:
  /// Sees the float values of one tensor for `images` images, one image after another.
  using Watch =
      std::function<void(const std::string& tensor, std::span<const float> values, int images)>;

  /// Operators: Conv, Gemm, Add, Mul, Concat, BatchNormalization (inference), Relu, Clip, Sigmoid,
  /// HardSigmoid, Softmax (of [images, classes]), MaxPool, AveragePool, GlobalAveragePool,
  /// ReduceMean (height and width), Flatten, Reshape, Identity, Dropout (inference), Cast (float32,
  /// float16), QuantizeLinear and DequantizeLinear (of com.microsoft too, for int16). What depends
  /// on constants alone is computed here. Errors: bad_input naming the node with an operator or
  /// attribute outside of these; a model without exactly one image input [N, channels, height,
  /// width] and one output.
  static Result<Interpreter> create(const onnx::Model& model, const std::string& source);
  Interpreter(Interpreter&& other) noexcept;
  Interpreter& operator=(Interpreter&& other) noexcept;
  ~Interpreter();

  /// The output [images][classes] for normalized input [images][channels][height][width], computed
  /// at once. `watch` is shown the input and every node's float output. Errors: bad_input when
  /// shapes inside the model do not fit together.
  Result<std::vector<float>> run(std::span<const float> input, int images,
                                 const Watch& watch = {}) const;

 private:
  struct State;
  explicit Interpreter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace assay
