// The UART of a board, whatever stands behind its path. Thread-safe; the link it returns is for one
// thread.
#pragma once

#include <filesystem>
#include <memory>

#include "boards/link/link.hpp"
#include "harness/core/units.hpp"

namespace assay {

/// Opens /dev/pts/... as a plain byte stream (PtyLink) and anything else as a serial port at `baud`
/// (SerialLink); links such as /dev/serial/by-id/... are followed. `name` stands for the board in
/// messages. Errors: infrastructure.
Result<std::unique_ptr<Link>> open_uart(const std::filesystem::path& path, Baud baud,
                                        std::string name);

}  // namespace assay
