#include "compress/row_product.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/matmul/matmul.h"

namespace hone::compress {
namespace {

constexpr int kTaskRows = 64;

}  // namespace

RowProduct::RowProduct(std::span<const float> weight, int n, int k, base::ThreadPool& pool,
                       base::Isa isa)
    : n_(n), k_(k), pool_(pool), isa_(isa) {
  HONE_CHECK(weight.size() == static_cast<std::size_t>(n) * static_cast<std::size_t>(k));
  const kernels::MatMulKernel& kernel = kernels::SelectMatMul(quant::Format::kF32, isa_);
  kernels::WeightRows rows;
  rows.n = n;
  rows.k = k;
  for (int i = 0; i < n; ++i) {
    rows.row.push_back(
        reinterpret_cast<const std::byte*>(weight.data() + static_cast<std::ptrdiff_t>(i) * k));
  }
  packed_.Reserve(kernel.packed_bytes(n, k));
  kernel.pack(rows, 0, kernels::Panels(n, kernel.tile_n), packed_.data());
  const auto workers = static_cast<std::size_t>(pool.threads());
  prepared_.Reserve(kTaskRows * kernel.prepared_bytes(k) * workers);
  scratch_.Reserve((kernel.scratch_bytes(k) + 64) / 64 * 64 * workers);
}

void RowProduct::Apply(std::span<const float> x, std::vector<float>* y) {
  const kernels::MatMulKernel& kernel = kernels::SelectMatMul(quant::Format::kF32, isa_);
  HONE_CHECK(x.size() % static_cast<std::size_t>(k_) == 0);
  const int rows = static_cast<int>(x.size() / static_cast<std::size_t>(k_));
  y->resize(static_cast<std::size_t>(rows) * static_cast<std::size_t>(n_));
  pool_.ParallelFor((rows + kTaskRows - 1) / kTaskRows, [&](int task, int worker) {
    const std::ptrdiff_t begin = std::ptrdiff_t{kTaskRows} * task;
    const int count = std::min(kTaskRows, rows - static_cast<int>(begin));
    const auto w = static_cast<std::size_t>(worker);
    std::byte* prepared = prepared_.data() + w * kTaskRows * kernel.prepared_bytes(k_);
    kernel.prepare(x.data() + begin * k_, k_, count, k_, prepared);
    kernel.multiply(packed_.data(), n_, k_, prepared, count, 0, kernels::Panels(n_, kernel.tile_n),
                    {}, y->data() + begin * n_, n_,
                    scratch_.data() + w * ((kernel.scratch_bytes(k_) + 64) / 64 * 64), {});
  });
}

}  // namespace hone::compress
