#include "compress/train/stage_clock.hpp"

#include <sys/resource.h>

#include <chrono>

namespace assay {

StageTime StageClock::spent() const {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const std::chrono::duration<double> here = system_clock().now() - start_;
  const double cpu = double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     1e-6 * double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  return {earlier_.seconds + here.count(), earlier_.cpu_seconds + cpu};
}

}  // namespace assay
