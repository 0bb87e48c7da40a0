// The main function of every test program. HONE_ISA lowers the instruction set, as for the program.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "base/isa.h"
#if defined(HONE_TEST_HAS_KERNELS)
#include "kernels/isa_limit.h"
#endif

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (const char* name = std::getenv("HONE_ISA"); name != nullptr) {
    const auto isa = hone::base::ParseIsa(name);
    if (!isa.ok()) {
      std::fprintf(stderr, "HONE_ISA: %s\n", isa.status().ToString().c_str());
      return 2;
    }
#if defined(HONE_TEST_HAS_KERNELS)
    hone::kernels::LimitIsa(*isa);
#endif
  }
  return RUN_ALL_TESTS();
}
