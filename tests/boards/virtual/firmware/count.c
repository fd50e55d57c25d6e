/* A small integer convolution and other code between markers, three windows; for exact counts. */
#include "board.h"

#define BEGIN() __asm volatile("mov r11, r11" ::: "memory")
#define END() __asm volatile("mov r12, r12" ::: "memory")

static int8_t input[12 * 12 * 4];
static int8_t weights[8 * 9 * 4];
static int32_t output[10 * 10 * 8];

static void convolve(void) {
  for (int y = 0; y < 10; ++y)
    for (int x = 0; x < 10; ++x)
      for (int o = 0; o < 8; ++o) {
        int32_t sum = 0;
        for (int k = 0; k < 9; ++k)
          for (int c = 0; c < 4; ++c)
            sum += input[((y + k / 3) * 12 + x + k % 3) * 4 + c] * weights[(o * 9 + k) * 4 + c];
        output[(y * 10 + x) * 8 + o] = sum;
      }
}

static uint32_t mixed(uint32_t seed) {
  uint32_t value = seed;
  for (int i = 0; i < 500; ++i) {
    value = value * 1664525u + 1013904223u;
    if (value & 0x80000000u) value ^= value >> 7;
    if ((value & 3) == 1) value += (uint32_t)i / 3;
    output[value % 800] += (int32_t)value;
  }
  return value;
}

void test_main(void) {
  uart_start();
  for (unsigned i = 0; i < sizeof input; ++i) input[i] = (int8_t)(i * 7);
  for (unsigned i = 0; i < sizeof weights; ++i) weights[i] = (int8_t)(i * 13);
  for (int run = 0; run < 2; ++run) {
    BEGIN();
    convolve();
    END();
  }
  uart_value("conv", (uint32_t)output[123]);
  BEGIN();
  const uint32_t value = mixed(42);
  END();
  uart_value("mixed", value);
#ifdef MAINLINE
  REGISTER(0xE000EDFC) |= 1u << 24;
  CYCCNT = 0;
  DWT_CTRL |= 1;
  const uint32_t before = CYCCNT;
  BEGIN();
  convolve();
  END();
  uart_value("cycles", CYCCNT - before);
#endif
  uart_text("done\n");
}
