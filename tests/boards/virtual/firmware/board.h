/* The little a test firmware needs: registers, a UART by polling, vectors. BOARD_F4, BOARD_F0 and
   so on choose the part; BOARD_UART_BASE and BOARD_UART_IRQ any other with the second USART layout.
 */
#pragma once

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t*)(address))

#if __ARM_ARCH_PROFILE == 'M' && defined(__ARM_FEATURE_DSP)
#define MAINLINE \
  1 /* Armv7E-M or Armv8-M with an FPU: no core of the tests has less than all of it */
#endif

/* Cycles of a hundred NOPs; the Cortex-M33 issues two of them a cycle. */
#if defined(__ARM_ARCH_8M_MAIN__)
#define NOPS_MIN 50
#else
#define NOPS_MIN 100
#endif

#if defined(BOARD_F4)
#define UART_STATUS REGISTER(0x40011000)
#define UART_RECEIVE REGISTER(0x40011004)
#define UART_SEND REGISTER(0x40011004)
#define UART_BAUD REGISTER(0x40011008)
#define UART_CONTROL REGISTER(0x4001100C)
#define UART_ON (1u << 13 | 1u << 3 | 1u << 2)
#define UART_IRQ 37
#define FLASH_STATUS REGISTER(0x40023C0C)
#elif defined( \
    BOARD_AN505) /* QEMU's machine of that name: the UART has other registers and only sends */
#define UART_STATUS UART_FREE
#define UART_RECEIVE 0u
#define UART_SEND REGISTER(0x40200000)
#define UART_BAUD REGISTER(0x40200010)
#define UART_CONTROL REGISTER(0x40200008)
#define UART_ON 1u
#define UART_IRQ 32
#else
#if defined(BOARD_F0)
#define BOARD_UART_BASE 0x40013800
#define BOARD_UART_IRQ 27
#define FLASH_STATUS REGISTER(0x4002200C)
#elif defined(BOARD_L4)
#define BOARD_UART_BASE 0x40004400
#define BOARD_UART_IRQ 38
#elif defined(BOARD_L4PLUS) /* the low-power UART: 256 times the clocks of a bit */
#define BOARD_UART_BASE 0x40008000
#define BOARD_UART_IRQ 70
#define UART_BAUD_SCALE 256
#elif defined(BOARD_G0)
#define BOARD_UART_BASE 0x40004400
#define BOARD_UART_IRQ 28
#elif defined(BOARD_U5)
#define BOARD_UART_BASE 0x40013800
#define BOARD_UART_IRQ 61
#define FLASH_STATUS REGISTER(0x40022020)
#endif
#ifndef FLASH_STATUS
#define FLASH_STATUS REGISTER(0x40022010)
#endif
#define UART_STATUS REGISTER(BOARD_UART_BASE + 0x1C)
#define UART_CLEAR REGISTER(BOARD_UART_BASE + 0x20)
#define UART_RECEIVE REGISTER(BOARD_UART_BASE + 0x24)
#define UART_SEND REGISTER(BOARD_UART_BASE + 0x28)
#define UART_BAUD REGISTER(BOARD_UART_BASE + 0x0C)
#define UART_CONTROL REGISTER(BOARD_UART_BASE + 0x00)
#define UART_ON (1u << 3 | 1u << 2 | 1u << 0)
#define UART_IRQ BOARD_UART_IRQ
#endif
#ifndef UART_BAUD_SCALE
#define UART_BAUD_SCALE 1
#endif
#define UART_RECEIVED (1u << 5)
#define UART_OVERRUN (1u << 3)
#define UART_FREE (1u << 7)
#define UART_RECEIVE_INTERRUPT (1u << 5)

#define NVIC_ENABLE(irq) (REGISTER(0xE000E100 + (irq) / 32 * 4) = 1u << (irq) % 32)
#define SYSTICK_CTRL REGISTER(0xE000E010)
#define SYSTICK_LOAD REGISTER(0xE000E014)
#define SYSTICK_VAL REGISTER(0xE000E018)
#define ICSR REGISTER(0xE000ED04)
#define AIRCR REGISTER(0xE000ED0C)
#define CFSR REGISTER(0xE000ED28)
#define HFSR REGISTER(0xE000ED2C)
#define BFAR REGISTER(0xE000ED38)
#define CPACR REGISTER(0xE000ED88)
#define CYCCNT REGISTER(0xE0001004)
#define DWT_CTRL REGISTER(0xE0001000)

static inline void uart_start(void) {
  UART_BAUD = 42 * UART_BAUD_SCALE;
  UART_CONTROL = UART_ON;
}
static inline void uart_put(char byte) {
  while (!(UART_STATUS & UART_FREE)) {
  }
  UART_SEND = (uint8_t)byte;
}
static inline uint8_t uart_get(void) {
  while (!(UART_STATUS & UART_RECEIVED)) {
  }
  return (uint8_t)UART_RECEIVE;
}
static inline void uart_text(const char* text) {
  while (*text)
    uart_put(*text++);
}
static inline void uart_hex(uint32_t value) {
  for (int shift = 28; shift >= 0; shift -= 4)
    uart_put("0123456789abcdef"[value >> shift & 15]);
}
/* "name=0000002a\n" */
static inline void uart_value(const char* name, uint32_t value) {
  uart_text(name);
  uart_put('=');
  uart_hex(value);
  uart_put('\n');
}

/* A firmware defines test_main and the handlers it wants. */
void test_main(void);
void hard_fault_handler(uint32_t* frame);
