// The table of model families, and the small functions that builders share. A new family is one
// file with a builder and one row in families.cpp. Pure functions, thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "compress/models/model_spec.hpp"

namespace assay {

/// Adds layers one after another; each takes the one before it as its input.
class SpecBuilder {
 public:
  explicit SpecBuilder(ModelSpec& spec) : spec_(spec) {}

  /// Square convolution that keeps height and width at stride 1 (odd `kernel`), batch
  /// normalization, ReLU. Layers "conv<index>" and "relu<index>".
  void conv_bn_relu(int index, int filters, int kernel, int stride = 1);
  /// 2x2 window, stride 2; a last odd row or column is dropped.
  void max_pool(const std::string& name);
  void flatten();
  /// Fully connected; the input is flat.
  void dense(const std::string& name, int outputs);

 private:
  void append(LayerSpec layer);

  ModelSpec& spec_;
};

/// `filters` less `fewer_pct` percent, to the nearest even number (a tie goes up), at least 2.
/// Even, because the DSP kernels work on pairs of channels.
int scaled_filters(int filters, int fewer_pct);

/// Layers of the conv5 family (conv5.cpp). `spec` comes with its name and input filled in; `cut`
/// and `fewer_filters_pct` are ones the family has.
void build_conv5(const ModelChoice& choice, ModelSpec& spec);

}  // namespace assay
