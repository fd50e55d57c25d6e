#include "board.h"

extern uint32_t data_start, data_end, data_source, bss_start, bss_end, stack_top;

void reset_handler(void) {
  for (uint32_t *to = &data_start, *from = &data_source; to < &data_end;) *to++ = *from++;
  for (uint32_t* to = &bss_start; to < &bss_end;) *to++ = 0;
  test_main();
  for (;;) {
  }
}

/* Reports the frame and stops; a firmware that expects faults replaces it. */
__attribute__((weak)) void hard_fault_handler(uint32_t* frame) {
  uart_value("fault", frame[6]);
  for (;;) {
  }
}

/* The stack pointer at entry is the frame (both stacks). */
__attribute__((naked)) void hard_fault_entry(void) {
  __asm volatile("mov r0, sp\n ldr r1, =hard_fault_handler\n bx r1\n");
}

static void unused(void) {
  uart_text("unexpected exception\n");
  for (;;) {
  }
}
__attribute__((weak, alias("unused"))) void svc_handler(void);
__attribute__((weak, alias("unused"))) void usage_handler(void);
__attribute__((weak, alias("unused"))) void pendsv_handler(void);
__attribute__((weak, alias("unused"))) void systick_handler(void);
__attribute__((weak, alias("unused"))) void irq0_handler(void);
__attribute__((weak, alias("unused"))) void irq1_handler(void);
__attribute__((weak, alias("unused"))) void uart_handler(void);

__attribute__((section(".vectors"), used)) const void* const vectors[16 + 72] = {
    [0] = &stack_top,
    [1] = reset_handler,
    [2] = unused,
    [3] = hard_fault_entry,
    [4] = unused,
    [5] = unused,
    [6] = usage_handler,
    [11] = svc_handler,
    [14] = pendsv_handler,
    [15] = systick_handler,
    [16] = irq0_handler,
    [17] = irq1_handler,
    [16 + UART_IRQ] = uart_handler,
};
