#include "kernels/matmul/matmul.h"

#include <iterator>

#include "base/check.h"

namespace hone::kernels {

#define HONE_MATMUL_KERNEL(symbol) extern const MatMulKernel symbol;
#include "kernels/matmul/list.inc"
#undef HONE_MATMUL_KERNEL

std::span<const MatMulKernel> MatMulKernels() {
#define HONE_MATMUL_KERNEL(symbol) symbol,
  static const MatMulKernel kernels[] = {
#include "kernels/matmul/list.inc"
  };
#undef HONE_MATMUL_KERNEL
  return kernels;
}

const MatMulKernel& SelectMatMul(quant::Format format, base::Isa limit) {
  for (const MatMulKernel& kernel : MatMulKernels()) {
    if (kernel.format != format || !base::IsaUsable(limit, kernel.isa)) continue;
    if (kernel.pays == nullptr || kernel.pays()) return kernel;
  }
  HONE_CHECK(false && "every format has a portable reference");
}

}  // namespace hone::kernels
