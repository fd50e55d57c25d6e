/* Chooses the regulator as the supply of an STM32H7, whatever the board is wired for, and says so if
   it lives. */
#include "board.h"

void test_main(void) {
  REGISTER(0x5802480C) = 2; /* PWR_CR3: LDOEN */
  uart_start();
  uart_text("alive\n");
  for (;;) {
  }
}
