// What strips cost in instructions, before anything is built. Pure; thread-safe.
#pragma once

#include "harness/core/part.hpp"
#include "targets/graph/strips.hpp"

namespace assay {

/// An estimate of the instructions that strips cost beyond the layers as a whole: copied rows, rows
/// outside their tensor, pairs of rows and fours of outputs that a low strip does not fill, and
/// what kernels expand and unpack once a call. Constants are those of the core's int8, int16 or
/// float kernels, fitted to counts of whole networks on virtual boards: where strips cost a
/// hundredth of a network or more, estimates are within a factor of 2 of the counts, in the
/// networks of tests/harness/run/strip_estimate_test.cpp.
double instructions_of(const IntegerGraph& graph, const StripPlan& plan, const Core& core);

}  // namespace assay
