// The published JSON Schema of matrix files, made from the field table.
#pragma once

#include "harness/core/json.hpp"

namespace assay {

/// JSON Schema (draft 7) of a matrix file. Published as harness/matrices/matrix.schema.json.
Json matrix_schema();

}  // namespace assay
