/* Says hello, then sends back every byte, by polling. */
#include "board.h"

void test_main(void) {
  uart_start();
  uart_text("hello\n");
  for (;;) uart_put((char)uart_get());
}
