// Ctrl-C and SIGTERM as a stop token that the whole program shares.
#pragma once

#include <stop_token>

namespace assay {

/// Installs handlers for SIGINT and SIGTERM (once; later calls return the same token) and ignores
/// SIGPIPE. The first signal requests a stop; a second one ends the process at once with code 130.
/// Call it from main before any thread is started.
std::stop_token install_interrupt_handler();

}  // namespace assay
