// The x86 instruction sets that Torch's libraries choose kernels by. Free of Torch. Pure functions,
// thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "compress/methods/settings.hpp"

namespace assay {

/// Each rounds differently.
enum class CpuLevel { baseline, avx2, avx512 };

constexpr Words<CpuLevel, 3> cpu_levels{{
    {CpuLevel::baseline, "baseline"},
    {CpuLevel::avx2, "avx2"},
    {CpuLevel::avx512, "avx512"},
}};

std::string_view to_string(CpuLevel level);
/// The level of that word, if it is one.
std::optional<CpuLevel> cpu_level_of(std::string_view word);

/// The highest level this machine has.
CpuLevel best_cpu_level();

/// Variables that hold Torch, oneDNN and OpenBLAS to a level if they are there when the libraries
/// are loaded. Empty for a level that this machine lacks.
std::map<std::string, std::string> cpu_environment(CpuLevel level);

}  // namespace assay
