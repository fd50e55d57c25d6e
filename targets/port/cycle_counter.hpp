// The two cycle counters behind port::cycles(): DWT on v7-M, SysTick extended to 32 bits on v6-M.
// A core's runtime holds one of cycles_dwt.cpp and cycles_systick.cpp.
#pragma once

namespace assay::port {

void start_cycle_counter();

/// Called on entry to the quiet window: moves the next interrupt the counter needs as far away as
/// it can. The count stays continuous but for the few cycles of the call.
void postpone_counter_interrupt();

/// The SysTick vector.
extern "C" void systick_interrupt();

}  // namespace assay::port
