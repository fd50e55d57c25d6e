// TorchScript files as ONNX models. Torch stays behind this header. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>

#include "compress/onnx/model.hpp"

namespace assay {

/// Channels, height, width.
using ImageExtent = std::array<std::int64_t, 3>;

/// The forward method of a TorchScript module (torch.jit.save) in inference, opset 17: "input" [N,
/// channels, height, width] to one output. The file holds no input size, so the method is run once
/// on images of `image`, and each operator that touches an image becomes nodes. Layers are called
/// as their module ("layer1.0.conv1"). Operators: convolutions (groups, stride, symmetric padding,
/// dilation), batch_norm, linear, addmm, relu, relu6, hardtanh, clamp, sigmoid, hardsigmoid,
/// hardswish, silu, softmax, max_pool2d, avg_pool2d, adaptive_avg_pool2d to 1x1, mean over height
/// and width, flatten and its like to [N, rest], add, mul, cat of channels, dropout. What is
/// computed without the image, and branches on it, are followed. The result is compared with the
/// method on other images. Errors: bad_input for a file that is no TorchScript or is damaged, a
/// method with other inputs than an image, images it cannot take, an operator outside of these,
/// naming it and the module it is in.
Result<onnx::Model> read_torchscript(const std::filesystem::path& path, const ImageExtent& image);

}  // namespace assay
