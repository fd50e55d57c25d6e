/* Exceptions, priorities, masks, faults. Prints what happened, in order; the test knows the rest. */
#include "board.h"

static volatile uint32_t ticks;
static char trace[32];
static unsigned traced;

static void note(char what) { trace[traced++] = what; }
static void show(const char* name) {
  trace[traced] = 0;
  uart_text(name);
  uart_put('=');
  uart_text(trace);
  uart_put('\n');
  traced = 0;
}

/* SVC doubles the stacked r0. */
__attribute__((naked)) void svc_handler(void) {
  __asm volatile(
      "ldr r0, [sp]\n"
      "add r0, r0, r0\n"
      "str r0, [sp]\n"
      "bx lr\n");
}
static uint32_t call_svc(uint32_t value) {
  register uint32_t r0 __asm("r0") = value;
  __asm volatile("svc #0" : "+r"(r0)::"memory");
  return r0;
}

/* irq 0 runs at the lower priority and pends irq 1, which preempts it, and PendSV, which waits. */
void irq0_handler(void) {
  note('(');
  REGISTER(0xE000E200) = 1u << 1;
  __asm volatile("dsb\n isb" ::: "memory");
  ICSR = 1u << 28;
  __asm volatile("dsb\n isb" ::: "memory");
  note(')');
}
void irq1_handler(void) { note('1'); }
void pendsv_handler(void) { note('p'); }
void systick_handler(void) { ++ticks; }

static void set_priority(uint32_t irq, uint32_t priority) {
  volatile uint32_t* word = &REGISTER(0xE000E400 + irq / 4 * 4);
  const uint32_t shift = irq % 4 * 8;
  *word = (*word & ~(0xFFu << shift)) | priority << shift;
}

static void preemption(void) {
  set_priority(0, 0x80);
  set_priority(1, 0x40);
  REGISTER(0xE000ED20) = 0xC0u << 16; /* PendSV */
  NVIC_ENABLE(0);
  NVIC_ENABLE(1);
  REGISTER(0xE000E200) = 1u << 0;
  __asm volatile("dsb\n isb" ::: "memory");
  show("nested");

  __asm volatile("cpsid i" ::: "memory");
  REGISTER(0xE000E200) = 1u << 1;
  note('a');
  __asm volatile("cpsie i\n isb" ::: "memory");
  note('b');
  show("primask");
}

static __attribute__((noinline)) void hundred_nops(void) {
  __asm volatile(".rept 100\n nop\n .endr");
}

static void ticking(void) {
  SYSTICK_LOAD = 999;
  SYSTICK_VAL = 0;
  ticks = 0;
  SYSTICK_CTRL = 7;
  for (int i = 0; i < 5; ++i) __asm volatile("wfi");
  SYSTICK_CTRL = 0;
  uart_value("ticks", ticks);

  SYSTICK_LOAD = 0xFFFFFF;
  SYSTICK_VAL = 0;
  SYSTICK_CTRL = 5;
  const uint32_t before = SYSTICK_VAL;
  hundred_nops();
  const uint32_t after = SYSTICK_VAL;
  SYSTICK_CTRL = 0;
  uart_value("hundred", before - after >= NOPS_MIN && before - after < NOPS_MIN + 15);
}

/* Faults are noted and the instruction skipped. */
static volatile uint32_t fault_pc, fault_count, fault_skip;
void hard_fault_handler(uint32_t* frame) {
  fault_pc = frame[6];
  ++fault_count;
  frame[6] += fault_skip;
}

static void unmapped(void) {
  uint32_t pc;
  fault_skip = 2;
  __asm volatile(
      "mov %0, pc\n"
      "nop\n"
      "ldr r0, [%1]\n" /* at %0: mov reads its own address plus 4 */
      "nop\n"
      : "=&l"(pc)
      : "l"(0x30000000u)
      : "r0", "memory");
  uart_value("unmapped load", fault_count);
  uart_value("at", fault_pc == (pc & ~1u));
#ifdef MAINLINE
  uart_value("cfsr", CFSR);
  uart_value("hfsr", HFSR);
  uart_value("bfar", BFAR);
  CFSR = ~0u;
  HFSR = ~0u;
#endif
  fault_count = 0;
  __asm volatile("str %0, [%1]" ::"l"(0), "l"(0x2F000000u) : "memory");
  uart_value("unmapped store", fault_count);
  fault_count = 0;
  __asm volatile("udf #1");
  uart_value("undefined", fault_count);
#ifdef MAINLINE
  uart_value("cfsr", CFSR);
  CFSR = ~0u;
#else
  fault_count = 0;
  __asm volatile("ldr r0, [%0]" ::"l"(0x20000002u) : "r0", "memory");
  uart_value("unaligned", fault_count);
  fault_count = 0;
  __asm volatile(".hword 0xb108" ::: "memory"); /* cbz r0, a Thumb-2 instruction */
  uart_value("cbz", fault_count);
#endif
}

#ifdef MAINLINE
static void floating(void) {
  fault_count = 0;
  fault_skip = 4;
  __asm volatile("vmov s0, %0" ::"r"(0x3F800000));
  uart_value("float off", fault_count);
  uart_value("cfsr", CFSR);
  CFSR = ~0u;
  CPACR = 0xFu << 20;
  __asm volatile("dsb\n isb" ::: "memory");
  uint32_t result;
  /* 1.5 * 2 + an interrupt in between that uses the stack with a float frame */
  __asm volatile(
      "vmov s0, %1\n"
      "vmov s1, %2\n"
      "svc #0\n"
      "vmul.f32 s0, s0, s1\n"
      "vmov %0, s0\n"
      : "=r"(result)
      : "r"(0x3FC00000), "r"(0x40000000)
      : "r0", "s0", "s1", "memory");
  uart_value("float on", result);
}

static void base_priority(void) {
  __asm volatile("msr basepri, %0\n isb" ::"r"(0x40) : "memory");
  REGISTER(0xE000E200) = 1u << 1;
  __asm volatile("dsb\n isb" ::: "memory");
  note('a');
  __asm volatile("msr basepri, %0\n isb" ::"r"(0) : "memory");
  note('b');
  show("basepri");
}

static void process_stack(void) {
  static uint32_t stack[64];
  uint32_t result;
  __asm volatile(
      "msr psp, %1\n"
      "movs r1, #2\n"
      "msr control, r1\n"
      "isb\n"
      "movs r0, #21\n"
      "svc #0\n"
      "mov %0, r0\n"
      "movs r1, #0\n"
      "msr control, r1\n"
      "isb\n"
      : "=r"(result)
      : "r"(stack + 64)
      : "r0", "r1", "memory");
  (void)result;
}
#endif

/* A store to locked flash is an error of the flash controller, not a fault, and changes nothing. */
static void locked_flash(void) {
  volatile uint32_t* const word = &REGISTER(0x08020000);
  fault_count = 0;
  *word = 0x12345678;
  uart_value("flash status", FLASH_STATUS);
  uart_value("flash", *word);
  uart_value("faults", fault_count);
}

void test_main(void) {
  uart_start();
  uart_value("svc", call_svc(21));
  preemption();
  ticking();
  unmapped();
  locked_flash();
#ifdef MAINLINE
  floating();
  base_priority();
  process_stack();
#endif
  uart_text("done\n");
}
