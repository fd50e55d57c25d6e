// Why every layer has the kernel it has, as a table for people. Pure; thread-safe.
#pragma once

#include <string>

#include "harness/core/json.hpp"

namespace assay::cli {

/// The table of `layers` (KernelSelection::layers): a line a layer, and below it one for each
/// kernel that was not taken, with the reason. A figure that is not known is a dash.
std::string explain_table(const Json& layers);

/// A line on the layers that run in strips (KernelSelection::strips); nothing where none does.
std::string explain_strips(const Json& strips);

}  // namespace assay::cli
