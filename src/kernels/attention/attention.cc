#include "kernels/attention/attention.h"

#include "base/check.h"

namespace hone::kernels {

#define HONE_ATTENTION_KERNEL(symbol) extern const AttentionKernel symbol;
#include "kernels/attention/list.inc"
#undef HONE_ATTENTION_KERNEL

std::span<const AttentionKernel> AttentionKernels() {
#define HONE_ATTENTION_KERNEL(symbol) symbol,
  static const AttentionKernel kernels[] = {
#include "kernels/attention/list.inc"
  };
#undef HONE_ATTENTION_KERNEL
  return kernels;
}

const AttentionKernel& SelectAttention(AttentionPrecision precision, base::Isa limit,
                                       int head_size) {
  for (const AttentionKernel& kernel : AttentionKernels()) {
    if (kernel.precision <= precision && head_size <= kernel.max_head_size &&
        base::IsaUsable(limit, kernel.isa)) {
      return kernel;
    }
  }
  HONE_CHECK(false && "the reference is portable");
}

}  // namespace hone::kernels
