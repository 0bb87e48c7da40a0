// Removing the inputs of one matrix one structure at a time, each time updating what is left so that
// the output changes least: optimal brain surgery on groups of columns.
//
// With the Hessian H = Σ x xᵀ of the inputs, M = H⁻¹, and structure S (one column, or the columns of
// one head):
//
//   score(S)  Σ_i W_i,S M_S,S⁻¹ W_i,Sᵀ          what removing S adds to Σ‖W_s x − W x‖²
//   update    W ← W − W_S M_S,S⁻¹ M_S,:          M ← M − M_:,S M_S,S⁻¹ M_S,:
//
// The structure of the least score goes; ties go to the first. After any number of removals W is the
// least squares optimum for the inputs kept, W_kept = W H_:,kept H_kept,kept⁻¹.
//
// Columns are removed in lazy blocks: within a block only the row of M and the column of W that a
// removal needs are brought up to date, and all else at the block's end by one matrix product, as in
// GPTQ (arXiv 2210.17323); removed columns are left out from then on. Cost: F³/3 multiply-adds for
// M, D·F² for W, F³ for the inverse.
//
// Source  ZipLM (arXiv 2302.04089), algorithm 1; Hassibi and Stork 1993.
#pragma once

#include <span>
#include <vector>

#include "base/status.h"
#include "base/thread_pool.h"
#include "compress/prune/snapshots.h"

namespace hone::compress {

struct RemovalRequest {
  std::span<const float> weight;  // [rows, columns]
  // [columns, columns], symmetric: the mean of x xᵀ, or, where `mean` is given, of
  // (x − mean)(x − mean)ᵀ: a bias then makes up for what the removed inputs gave in the mean.
  std::span<const double> hessian;
  std::span<const double> mean;  // [columns], or empty: no bias
  int rows = 0, columns = 0;
  int group = 1;            // columns a structure: 1, or a head's size
  std::vector<int> counts;  // structures kept at each level: the whole first, descending
  // Added to H's diagonal, times its mean, before the inverse: what f32 sums cannot tell from zero.
  double damping = kDamping;

  static constexpr double kDamping = 1e-4;
};

// A level for each of `counts`; the whole one has the weights as they are, one of 0 none and error
// 1. The error of a level is the sum of the scores, as a share of Σ‖W x‖²: exact for H as damped.
// With a mean, bias_shift = (W − W_s)·mean.
// Inputs that are always 0 go first, at no error. Damping grows tenfold as long as H is not positive
// definite. Errors: H that is not finite.
base::StatusOr<std::vector<Level>> RemoveOneAtATime(const RemovalRequest& request,
                                                    base::ThreadPool& pool);

// The baseline: structures by Σ W_ij² alone, the least first, and no update. Errors by H, so that the
// two compare.
base::StatusOr<std::vector<Level>> RemoveByMagnitude(const RemovalRequest& request);

// The levels of a block of `whole` columns: whole, round(whole·0.9^k) as long as that is 1 or more,
// and gone (ZipLM's choice).
std::vector<int> ColumnCounts(int whole);
// Every head count from whole to none.
std::vector<int> HeadCounts(int whole);

}  // namespace hone::compress
