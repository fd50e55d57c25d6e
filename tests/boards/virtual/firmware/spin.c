/* A dense layer over weights in flash, again and again: what a benchmark of the board's own speed runs. */
#include "board.h"

#define SIZE 1024

static const int8_t weights[16 * SIZE] = {1, 2, 3};
static int8_t input[SIZE];
static volatile int32_t output[16];

void test_main(void) {
  uart_start();
  uart_text("spinning\n");
  for (;;) {
    for (int o = 0; o < 16; ++o) {
      int32_t sum = 0;
      for (int i = 0; i < SIZE; ++i) sum += input[i] * weights[o * SIZE + i];
      output[o] = sum;
    }
    ++input[0];
  }
}
