// The first-level caches of the Cortex-M7. Freestanding C++17.
#pragma once

namespace assay::port {

/// Empties both caches, whose content is undefined after reset, and turns them on. Once, before
/// memory holds what must not be lost; without effect on a cache that is on already. Nothing but
/// the core reads or writes RAM here, so no line is ever cleaned afterwards.
void enable_caches();

}  // namespace assay::port
