// The speed of a terminal as the kernel has it, also where it is no classic Bxxx rate.
#pragma once

namespace assay::test {

/// Bits per second, or -1.
long tty_speed(int fd);

}  // namespace assay::test
