// UseThreads: one place sets what libtorch, OpenBLAS and our own kernels compute with.
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <malloc.h>

#include <cstdlib>
#include <string_view>

#include "base/check.h"
#include "base/isa.h"
#include "train/graph.h"

namespace hone::train {
namespace {

// OpenBLAS chooses its kernels by the processor's model number; one that is newer than itself gets
// those for SSE3, whatever it can do (0.3.21 on a Xeon of 2023: 32 GFLOPS a core instead of 150). Its
// own switch, OPENBLAS_CORETYPE, is read when the library is loaded, so we have it choose again.
// Looked up by name, since another BLAS may stand in its place.
void ChooseBlasKernels() {
  const auto name =
      reinterpret_cast<const char* (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  const auto quit = reinterpret_cast<void (*)()>(dlsym(RTLD_DEFAULT, "gotoblas_dynamic_quit"));
  const auto init = reinterpret_cast<void (*)()>(dlsym(RTLD_DEFAULT, "gotoblas_dynamic_init"));
  if (name == nullptr || quit == nullptr || init == nullptr) return;
  if (std::string_view(name()) != "Prescott") return;  // the name of that last resort
  const char* core = nullptr;
  if (base::IsaUsable(base::DetectIsa(), base::Isa::kAvx512)) {
    core = "SkylakeX";
  } else if (base::IsaUsable(base::DetectIsa(), base::Isa::kAvx2)) {
    core = "Haswell";
  }
  if (core == nullptr || setenv("OPENBLAS_CORETYPE", core, /*overwrite=*/0) != 0) return;
  quit();
  init();
}

}  // namespace

void UseThreads(int threads) {
  HONE_CHECK(threads > 0);
  ChooseBlasKernels();
  // OpenMP's number, which OpenBLAS (built for OpenMP) and our loops take as well.
  at::set_num_threads(threads);
  // Every step allocates the same sizes. glibc would give large blocks back to the system after each
  // and have every page zeroed again in the next.
  constexpr int kKeepBytes = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kKeepBytes);
  mallopt(M_TRIM_THRESHOLD, kKeepBytes);
  mallopt(M_TOP_PAD, 64 << 20);
  // Threads that compute a part of a batch each would have arenas of their own, which are given back
  // whatever is said above.
  mallopt(M_ARENA_MAX, 1);
}

}  // namespace hone::train
