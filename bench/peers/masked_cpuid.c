// Loaded into a peer's process (LD_PRELOAD) by held.py: answers the peer's CPUID instructions, which
// held.py replaced by UD0, with what an AVX2 processor without VNNI would say.
//
// UD0 raises an invalid-opcode fault. The handler runs the real CPUID, clears what is masked, and goes
// on behind the instruction. Bits by number: Intel SDM volume 2A, CPUID, leaf 7.

#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <ucontext.h>

#define BIT(n) (1u << (n))

static void Mask(unsigned leaf, unsigned subleaf, unsigned* a, unsigned* b, unsigned* c, unsigned* d) {
  if (leaf == 7 && subleaf == 0) {
    // avx512 f, dq, ifma, pf, er, cd, bw, vl
    *b &= ~(BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31));
    // avx512 vbmi, vbmi2; gfni, vaes, vpclmulqdq; avx512 vnni, bitalg, vpopcntdq
    *c &= ~(BIT(1) | BIT(6) | BIT(8) | BIT(9) | BIT(10) | BIT(11) | BIT(12) | BIT(14));
    // avx512 4vnniw, 4fmaps, vp2intersect; amx bf16; avx512 fp16; amx tile, int8
    *d &= ~(BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25));
  } else if (leaf == 7 && subleaf == 1) {
    *a &= ~(BIT(4) | BIT(5) | BIT(21) | BIT(23));   // avx vnni, avx512 bf16, amx fp16, avx ifma
    *d &= ~(BIT(4) | BIT(5) | BIT(10) | BIT(19));   // avx vnni int8, ne convert, vnni int16, avx10
  }
}

static void OnInvalidOpcode(int number, siginfo_t* info, void* context) {
  (void)info;
  greg_t* registers = ((ucontext_t*)context)->uc_mcontext.gregs;
  static const unsigned char kUd0[2] = {0x0F, 0xFF};
  if (memcmp((const void*)registers[REG_RIP], kUd0, sizeof kUd0) != 0) {
    signal(number, SIG_DFL);  // not ours: let it end the process as it would have
    return;
  }
  unsigned leaf = (unsigned)registers[REG_RAX], subleaf = (unsigned)registers[REG_RCX];
  unsigned a, b, c, d;
  __cpuid_count(leaf, subleaf, a, b, c, d);
  Mask(leaf, subleaf, &a, &b, &c, &d);
  registers[REG_RAX] = a;
  registers[REG_RBX] = b;
  registers[REG_RCX] = c;
  registers[REG_RDX] = d;
  registers[REG_RIP] += sizeof kUd0;
}

__attribute__((constructor)) static void Install(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = OnInvalidOpcode;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigaction(SIGILL, &action, NULL);
}
