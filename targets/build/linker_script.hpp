// The linker script of a part, from its memory regions. Pure function, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "harness/core/part.hpp"
#include "harness/core/units.hpp"

namespace assay {

/// What lies where in RAM.
struct LinkerMemory {
  Bytes stack_reserve;  ///< rounded up to 8 bytes (AAPCS stack alignment)
  Bytes input;          ///< of the model
  std::string home;     ///< region of stack and static data; empty: the first RAM region
  std::vector<std::string> arenas;  ///< regions of the model's arenas; none: the home alone
};

/// Output sections, so that flash and RAM can be split without counting anything twice:
///   .vectors, .runtime, .data   startup, drivers, main loop (.data: initial values)
///   .model_code, .weights       code and constants of model.o
///   .stack, .arena, .static     RAM: stack reserve, variables of model.o, all other variables
///   .arena.REGION               RAM: what of the model's arena lies in another region
///   .ring                       RAM: the receive ring
///   .second_core                the loop in which a second core stays, in that core's own region
/// The program goes to the first flash region. The stack lies at the bottom of its region: an
/// overflow faults instead of overwriting tensors. The ring has room for a whole sample to wait in
/// where that much RAM is left, and else for what the wire format asks of the smallest: then the
/// host sends one sample at a time. assay_far_begin .. assay_far_end is a table of begin and end of
/// every arena outside the home, for the port to clear.
std::string linker_script(const Part& part, const LinkerMemory& memory);

}  // namespace assay
