/* Walks 256 bytes of the core's own RAM twice, then of RAM behind the bus, then of flash, a word at a
   time, each walk between markers and by the same code: the first of two finds nothing in a data
   cache, the second all. */
#include "board.h"

static const uint32_t in_flash[64] __attribute__((aligned(32))) = {1, 2, 3};
static uint32_t in_own_ram[64] __attribute__((aligned(32)));

static void __attribute__((noinline)) walk(const uint32_t* first) {
  register const uint32_t* words __asm("r1") = first;
  __asm volatile(
      ".syntax unified\n movs r0, #64\n mov r11, r11\n"
      ".balign 8\n1: ldmia r1!, {r2}\n subs r0, #1\n bne 1b\n mov r12, r12\n"
      : "+r"(words)::"r0", "r2", "cc", "memory");
}

void test_main(void) {
  /* SRAM1 of an STM32F746, whose core is an r0, or AXI SRAM of an STM32H7. */
  const int first_core = (REGISTER(0xE000ED00) >> 20 & 15) == 0;
  const uint32_t* behind_bus = (const uint32_t*)(first_core ? 0x20010000 : 0x24000000);
  uart_start();
  walk(in_own_ram);
  walk(in_own_ram);
  walk(behind_bus);
  walk(behind_bus);
  walk(in_flash);
  walk(in_flash);
  uart_text("done\n");
}
