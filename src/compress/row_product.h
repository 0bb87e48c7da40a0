// y = W x for rows of calibration data, by the engine's f32 matrix product.
#pragma once

#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/isa.h"
#include "base/thread_pool.h"

namespace hone::compress {

class RowProduct {
 public:
  // weight [n,k]; packed, and so not needed after.
  RowProduct(std::span<const float> weight, int n, int k, base::ThreadPool& pool,
             base::Isa isa = base::DetectIsa());

  // y [T,n] of x [T,k].
  void Apply(std::span<const float> x, std::vector<float>* y);

 private:
  int n_, k_;
  base::ThreadPool& pool_;
  base::Isa isa_;
  base::AlignedBuffer packed_, prepared_, scratch_;
};

}  // namespace hone::compress
