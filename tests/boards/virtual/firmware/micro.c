/* Loops whose cycles follow from the technical reference manuals by hand, each between markers: first
   at the clock after reset, without wait states, then at the highest. Every loop runs COUNT times. */
#include "board.h"

#define COUNT 64
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

/* The counter is in r0, a pointer in r1; r2 to r7 are free. */
#define LOOP(body)                                                        \
  __asm volatile(                                                         \
      ".syntax unified\n movs r0, #" TEXT(COUNT) "\n movs r2, #3\n b 2f\n" \
      ".balign 4\n2: mov r11, r11\n b 1f\n"                               \
      ".balign 4\n1: " body "\n subs r0, #1\n bne 1b\n mov r12, r12\n" ::  \
          : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "cc", "memory")
#define LOOP_OVER(pointer, body)                                           \
  do {                                                                     \
    register const uint32_t* words __asm("r1") = (pointer);                \
    __asm volatile(                                                        \
        ".syntax unified\n movs r0, #" TEXT(COUNT) "\n b 2f\n"             \
        ".balign 4\n2: mov r11, r11\n b 1f\n"                              \
        ".balign 4\n1: " body "\n subs r0, #1\n bne 1b\n mov r12, r12\n"   \
        : "+r"(words)::"r0", "r2", "r3", "r4", "r5", "r6", "r7", "cc", "memory"); \
  } while (0)

static const uint32_t in_flash[COUNT * 4] __attribute__((aligned(64))) = {1, 2, 3};
static uint32_t in_ram[COUNT * 4] __attribute__((aligned(16)));

static void loops(void) {
  LOOP("nop");
  LOOP("muls r2, r2");
  LOOP("push {r2-r5}\n pop {r2-r5}");
  LOOP_OVER(in_ram, "ldr r2, [r1]");
  LOOP_OVER(in_ram, "str r2, [r1]\n nop");
  LOOP_OVER(in_ram, "ldmia r1!, {r2-r5}");
  LOOP_OVER(in_flash, "ldmia r1!, {r2}");
}

static void fastest_clock(void) {
#ifdef BOARD_F4
  REGISTER(0x40023804) = 16 | 336 << 6; /* HSI / 16 * 336 / 2 = 168 MHz */
  REGISTER(0x40023800) |= 1u << 24;
  REGISTER(0x40023808) |= 2;
#else
  REGISTER(0x40021004) |= 10u << 18; /* HSI / 2 * 12 = 48 MHz */
  REGISTER(0x40021000) |= 1u << 24;
  REGISTER(0x40021004) |= 2;
#endif
}

void test_main(void) {
  uart_start();
  loops();
  fastest_clock();
  loops();
  uart_text("done\n");
}
