// Stops in a chosen way: FAULT_UNDEFINED executes an undefined instruction, FAULT_STACK runs out of
// stack.
#include "targets/port/port.hpp"

extern "C" {
[[gnu::noinline]] void execute_undefined() {
  asm volatile("udf #0");
}

[[gnu::noinline]] int run_out_of_stack(volatile int* caller) {
  volatile int frame[64] = {*caller};
  return run_out_of_stack(frame) + frame[1];
}
}

int main() {
#ifdef FAULT_UNDEFINED
  execute_undefined();
#else
  volatile int start = 1;
  run_out_of_stack(&start);
#endif
}
