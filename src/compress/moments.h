// Second moments of what flows into a matrix, summed over calibration batches:
//
//   Moments(F, pool)     H[i,j] = Σ_t x[t,i]·x[t,j]     the Hessian of a layer's squared error, halved
//   Moments(D, F, pool)  C[i,j] = Σ_t y[t,i]·x[t,j]     what a least squares refit needs beside it
//
// Usage
//   Moments sum(1536, pool);
//   for (…batches…) sum.Add(rows);            // [T,1536] each
//   std::vector<double> means = sum.means();
//   std::vector<double> h = sum.Take(1.0 / sum.rows());
//
// Numerics  within a batch in f32 by the engine's matrix product, over batches in f64: a relative
//           error of about 1e-6 of √(H_ii·H_jj) with batches of 2,048 rows.
// Cost      symmetric sums compute one triangle: F²·T multiply-adds / 2.
// Threads   one caller; the pool's threads work inside.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/isa.h"
#include "base/thread_pool.h"

namespace hone::compress {

class Moments {
 public:
  Moments(int width, base::ThreadPool& pool, base::Isa isa = base::DetectIsa());
  Moments(int left, int right, base::ThreadPool& pool, base::Isa isa = base::DetectIsa());

  // Rows x [T, width] (and y [T, left]), contiguous. HONE_CHECKs the sizes.
  void Add(std::span<const float> x);
  void Add(std::span<const float> y, std::span<const float> x);

  std::int64_t rows() const { return rows_; }
  // Of each column of x (and of y), over all rows so far.
  std::vector<double> means() const { return Means(column_sums_); }
  std::vector<double> left_means() const { return Means(left_sums_); }
  // The sums times `scale`, [left or width, width] row-major; they begin at 0 again.
  std::vector<double> Take(double scale);

  // Bytes that a sum of this size needs while batches of `rows` are added.
  static std::uint64_t Bytes(int left, int right, int rows);

 private:
  void Transpose(std::span<const float> x, int width, int rows, std::vector<float>* out);
  void AddProduct(const std::vector<float>& left, int rows);
  void AddColumns(std::span<const float> x, std::vector<double>* sums);
  std::vector<double> Means(const std::vector<double>& sums) const;

  bool symmetric_;
  int left_, right_;
  base::ThreadPool& pool_;
  base::Isa isa_;
  std::int64_t rows_ = 0;
  std::vector<double> sum_, column_sums_, left_sums_;
  std::vector<float> transposed_, transposed_left_;
  base::AlignedBuffer packed_, prepared_, scratch_;
  std::vector<float> products_;  // a block of rows, each worker
};

}  // namespace hone::compress
