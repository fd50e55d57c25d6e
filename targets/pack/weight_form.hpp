// How a kernel's weights lie in flash.
#pragma once

#include <string_view>

namespace assay {

/// The forms a layer's weights can be packed in. Every form holds the same values: which one a
/// layer over int8 tensors may take is read from its weights, never from a note beside them. A
/// layer over float32 tensors keeps the form its file has: float32, float16 or int8.
enum class WeightForm {
  none,               ///< the operator has no weights
  int8,               ///< a byte for each weight
  int4,               ///< four bits, weights in [-7, 7]
  ternary,            ///< two bits, weights in [-1, 1]
  codebook16,         ///< four bits that choose one of 16 int8 values
  codebook256,        ///< up to 256 values, fewer bits than a byte
  unstructured,       ///< single non-zero weights with their positions (CSR)
  blocks,             ///< 1x4 blocks of non-zero weights along the input channels
  blocks_codebook16,  ///< the same blocks, four bits for each of their weights that choose one of
                      ///< 16
  bitmap,             ///< a bit for every weight and a byte for each one that is not zero
  float32,            ///< four bytes
  float16,            ///< two bytes, float32 numbers that float16 holds
};

/// "int8", "1x4 blocks": the name in tables and records.
constexpr std::string_view to_string(WeightForm form) {
  switch (form) {
    case WeightForm::none:
      return "none";
    case WeightForm::int8:
      return "int8";
    case WeightForm::int4:
      return "int4";
    case WeightForm::ternary:
      return "ternary";
    case WeightForm::codebook16:
      return "codebook16";
    case WeightForm::codebook256:
      return "codebook256";
    case WeightForm::unstructured:
      return "unstructured";
    case WeightForm::blocks:
      return "1x4 blocks";
    case WeightForm::blocks_codebook16:
      return "1x4 blocks of codebook16";
    case WeightForm::bitmap:
      return "bitmap";
    case WeightForm::float32:
      return "float32";
    case WeightForm::float16:
      return "float16";
  }
  return "";
}

}  // namespace assay
