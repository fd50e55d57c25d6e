// The builders of the model families. A new family is one file with a builder, its declaration here
// and its row in families.cpp. Pure functions, thread-safe.
#pragma once

#include "compress/models/model_spec.hpp"

namespace assay {

// Each appends the layers of its family. `spec` comes with its name and input filled in; `cut` and
// `fewer_filters_pct` are ones the family has. docs/models.md lists papers, inputs and sizes.

void build_conv3(const ModelChoice& choice, ModelSpec& spec);
void build_conv5(const ModelChoice& choice, ModelSpec& spec);
void build_lenet_300_100(const ModelChoice& choice, ModelSpec& spec);
void build_lenet5(const ModelChoice& choice, ModelSpec& spec);
void build_resnet8(const ModelChoice& choice, ModelSpec& spec);
void build_ds_cnn(const ModelChoice& choice, ModelSpec& spec);
void build_mcunet_vww0(const ModelChoice& choice, ModelSpec& spec);
void build_mobilenet_v1_025(const ModelChoice& choice, ModelSpec& spec);
void build_mobilenet_v2(const ModelChoice& choice, ModelSpec& spec);
void build_resnet18(const ModelChoice& choice, ModelSpec& spec);
void build_resnet50(const ModelChoice& choice, ModelSpec& spec);
void build_densenet121(const ModelChoice& choice, ModelSpec& spec);
void build_se_preact_resnet101(const ModelChoice& choice, ModelSpec& spec);

}  // namespace assay
