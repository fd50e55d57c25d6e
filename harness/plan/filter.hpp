// Some of a matrix: the cells whose configuration has given values.
#pragma once

#include <string_view>

#include "harness/plan/config.hpp"

namespace assay {

/// "student.cut=4,seed=1" as fields and values. Errors: bad_input naming the part that is no
/// `field=value`, the unknown field, or what its values are.
Result<FieldValues> parse_filter(std::string_view text);

/// Whether the configuration has every field of the filter, with that value. A field that is inert
/// in it (distill.T of a plain student) is absent, and so has no value. An empty filter matches.
bool matches(const Config& config, const FieldValues& filter);

}  // namespace assay
