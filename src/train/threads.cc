// UseThreads: one place sets what libtorch, OpenBLAS and our own kernels compute with.
#include <ATen/Parallel.h>
#include <malloc.h>

#include "base/check.h"
#include "train/graph.h"

namespace hone::train {

void UseThreads(int threads) {
  HONE_CHECK(threads > 0);
  // OpenMP's number, which OpenBLAS (built for OpenMP) and our loops take as well.
  at::set_num_threads(threads);
  // Every step allocates the same sizes. glibc would give large blocks back to the system after each
  // and have every page zeroed again in the next.
  constexpr int kKeepBytes = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kKeepBytes);
  mallopt(M_TRIM_THRESHOLD, kKeepBytes);
  mallopt(M_TOP_PAD, 64 << 20);
}

}  // namespace hone::train
