#include "harness/core/paths.hpp"

#include <cstdlib>

#include "paths_config.hpp"

namespace assay {
namespace {

std::filesystem::path from_environment(const char* variable, const char* fallback) {
  const char* value = std::getenv(variable);
  return value && *value ? value : fallback;
}

std::filesystem::path user_cache() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache) return cache;
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home && *home ? home : "/") / ".cache";
}

}  // namespace

std::filesystem::path source_root() {
  return from_environment("ASSAY_ROOT", ASSAY_SOURCE_DIRECTORY);
}

std::filesystem::path build_root() {
  return from_environment("ASSAY_BUILD", ASSAY_BUILD_DIRECTORY);
}

std::filesystem::path own_program(const char* name) {
  return build_root() / name;
}

std::filesystem::path count_plugin() {
  return build_root() / "boards" / "station" / "linux_count_plugin.so";
}

std::filesystem::path default_cache() {
  return user_cache() / "assay";
}

std::filesystem::path default_data() {
  return user_cache() / "assay-data";
}

}  // namespace assay
