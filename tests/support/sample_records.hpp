// A realistic set of records for tests of stores, reports and listings. Thread-safe (pure).
#pragma once

#include <vector>

#include "harness/core/record.hpp"

namespace assay::test {

/// Four int8 students of conv5 (two sizes, each plain and distilled) on two virtual boards, for
/// seeds 1..`seeds`: 8 records a seed, all passed, with every field filled. Deterministic.
std::vector<Record> sample_records(int seeds = 1);

}  // namespace assay::test
