// Which forms of weights there are kernels of over int8 tensors, by operator and core, and what a
// layer misses for want of one. Pure; thread-safe.
#pragma once

#include <string>
#include <vector>

#include "harness/core/part.hpp"
#include "harness/core/result.hpp"
#include "targets/pack/kernel.hpp"

namespace assay {

/// The forms that the core has kernels of for the operator, in the order of WeightForm; int8 is
/// always among them.
std::vector<WeightForm> forms_with_kernels(IntegerOp op, const Core& core);

/// A Markdown table: a row for every core of a part, the forms besides int8 of every operator that
/// has weights. Errors: those of the part files.
Result<std::string> forms_table();

/// Why a layer keeps int8 although its weights fit a form of less than a byte: the core has kernels
/// of none of the forms they fit, "the weights fit int4, of which cortex-m4f has no depthwise
/// kernel: they take a byte each"; or they decline the layer, "the weights fit int4, but
/// depthwise_int4.m0 needs 5000 bytes of scratch and may take 4096: ..."; or the tensors are int16,
/// whose kernels take a byte a weight. Empty when nothing is missed.
std::string missed_form(const LayerView& layer, const Core& core);

}  // namespace assay
