// Running some layers of a network strip by strip: a few rows of their last output at a time, so
// that the tensors between them never exist as a whole. The idea is MCUNetV2's patch-based
// inference (arXiv:2110.15352, section 3.1) with one difference: a strip has the full width, and
// the rows that two strips share are kept in a buffer instead of being computed again. Pure;
// thread-safe.
//
// In strip s, counted from -warm_up, the rows [lead + s * rows, lead + (s + 1) * rows) of every
// tensor between the layers are made, and land behind the rows of earlier strips that are still
// needed. Rows outside the tensor are filled with what its readers' padding holds; so all strips
// have the same shape, and every layer is one kernel without vertical padding. Outputs are the same
// bit for bit.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "harness/core/units.hpp"
#include "targets/graph/integer_graph.hpp"

namespace assay {

/// Layers first .. last in strips of `rows` rows of the last one's output.
struct StripRange {
  std::size_t first = 0;
  std::size_t last = 0;
  int rows = 1;
  bool operator==(const StripRange&) const = default;
};

/// What a row outside a tensor holds.
enum class OutsideRow {
  zero,      ///< the tensor's zero point, as convolutions and average pools want it
  smallest,  ///< what no maximum pool ever takes
};

/// The buffer of a tensor of which only some rows exist.
struct StripTensor {
  int tensor = 0;       ///< of the graph
  int rows = 0;         ///< made in every strip
  int lead = 0;         ///< the first of strip 0
  int buffer_rows = 0;  ///< rows, and those kept from the strips before
  OutsideRow outside = OutsideRow::zero;
  int kept() const { return buffer_rows - rows; }
};

struct StripPlan {
  StripRange range;
  int strips = 0;                    ///< that make rows of the output
  int warm_up = 0;                   ///< strips before them
  int entry = 0;                     ///< the tensor all is computed from; exists as a whole
  int exit = 0;                      ///< the last layer's output; exists as a whole
  std::vector<StripTensor> tensors;  ///< the entry's rows, then the outputs of first .. last - 1

  bool covers(std::size_t layer) const { return layer >= range.first && layer <= range.last; }
  /// Of the entry or of an output of first .. last - 1.
  const StripTensor& rows_of(int tensor) const;
  /// Rows of a layer's output that are made in every strip.
  int rows_made(const IntegerLayer& layer) const;
  /// The row of its input's buffer where a layer of the range begins to read.
  int first_row_read(const IntegerLayer& layer, int input) const;
  /// Whether any of the rows of strip `strip` lies inside the tensor, which has `height` of them.
  bool makes_rows(const StripTensor& rows, int height, int strip) const;
};

/// The plan of that range. Nothing where it cannot run in strips: a layer in it needs all rows or
/// one from elsewhere, a tensor in it is read outside, `rows` does not divide the output into two
/// strips or more, or kernels would find rows that do not begin at a whole word.
std::optional<StripPlan> plan_strips(const IntegerGraph& graph, const StripRange& range);

/// The graph as kernels see it: the layers of the range read and write tensors of their own, which
/// are as high as one strip.
IntegerGraph strip_shapes(const IntegerGraph& graph, const StripPlan& plan);

/// What strips cost beyond the layers as a whole.
struct StripCost {
  Macs extra;    ///< of rows computed that lie outside their tensor
  Bytes copied;  ///< rows of the entry, and rows kept
};
StripCost cost_of(const IntegerGraph& graph, const StripPlan& plan);

/// Whether the exit may be written over the entry, at its address or below: no strip reaches rows
/// that later strips have still to copy.
bool exit_follows_entry(const IntegerGraph& graph, const StripPlan& plan);

}  // namespace assay
