// The main function of every test program.
//
//   HONE_ISA=avx2 hone_kernels_test       lowers the instruction set, as for the program
//   hone_kernels_test --hone_runs_isa=L   runs nothing; exits with 0 where the processor runs L
#include <gtest/gtest.h>

#include <csignal>
#include <string_view>

#include "base/isa.h"

#if defined(HONE_TEST_KERNELS)
#include "kernels/isa_limit.h"
#include "tests/isa_limit.h"
#endif

#if defined(__SANITIZE_THREAD__)
// gRPC and what it stands on come without instrumentation: ThreadSanitizer sees their memory used,
// and not the locks and atomics that guard it. What our own threads share is watched as ever.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:libgrpc\nrace:libgpr\nrace:libabsl\nrace:libupb\nrace:libprotobuf\n"
         "race:libcares\nrace:libssl\nrace:libcrypto\n";
}
#endif

int main(int argc, char** argv) {
  constexpr std::string_view kRunsIsa = "--hone_runs_isa=";
  if (argc == 2 && std::string_view(argv[1]).starts_with(kRunsIsa)) {
    const auto isa = hone::base::ParseIsa(std::string_view(argv[1]).substr(kRunsIsa.size()));
    return isa.ok() && hone::base::IsaUsable(hone::base::DetectIsa(), *isa) ? 0 : 1;
  }
#if defined(HONE_TEST_KERNELS)
  hone::kernels::LimitIsa(hone::tests::IsaLimit());
#endif
  // As a terminal begins a program: nohup, and & in a script, leave some ignored, which those would inherit that
  // tests start and send signals to.
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) std::signal(number, SIG_DFL);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
