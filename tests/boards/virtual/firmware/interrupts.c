/* Echo by receive interrupt through a small ring, sleeping in between; reports overruns on request:
   a byte 0x1b is answered with the count. */
#include "board.h"

static volatile uint8_t ring[256];
static volatile uint8_t head, tail;
static volatile uint32_t overruns;

void uart_handler(void) {
  const uint32_t status = UART_STATUS;
  if (status & UART_OVERRUN) {
    ++overruns;
#ifdef UART_CLEAR
    UART_CLEAR = UART_OVERRUN;
#endif
  }
  if (status & (UART_RECEIVED | UART_OVERRUN)) {
    const uint8_t byte = (uint8_t)UART_RECEIVE;
    if (status & UART_RECEIVED) ring[head++] = byte;
  }
}

void test_main(void) {
  uart_start();
  UART_BAUD = 64 * UART_BAUD_SCALE; /* slow enough for the handler, too fast for the delay below */
  UART_CONTROL |= UART_RECEIVE_INTERRUPT;
  NVIC_ENABLE(UART_IRQ);
  uart_text("ready\n");
  for (;;) {
    __asm volatile("cpsid i" ::: "memory");
    if (head == tail) __asm volatile("wfi");
    __asm volatile("cpsie i\n isb" ::: "memory");
    while (tail != head) {
      const uint8_t byte = ring[tail++];
      if (byte == 0x1b) {
        uart_value("overruns", overruns);
        overruns = 0;
      } else if (byte == 0x1c) {
        /* Deaf for a while: paced bytes are lost now. */
        __asm volatile("cpsid i" ::: "memory");
        for (volatile int i = 0; i < 100000; ++i) {
        }
        __asm volatile("cpsie i" ::: "memory");
      } else {
        uart_put((char)byte);
      }
    }
  }
}
