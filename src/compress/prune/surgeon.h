// The state of one-at-a-time removal (removal.h): what is left of W and of the inverse Hessian.
#pragma once

#include <cstddef>
#include <vector>

#include "base/thread_pool.h"
#include "compress/prune/inverse.h"
#include "compress/prune/removal.h"

namespace hone::compress {

class Surgeon {
 public:
  Surgeon(const RemovalRequest& request, DampedInverse inverse, base::ThreadPool& pool);

  // Removes structures until `count` are left.
  void RemoveDownTo(int count);
  // What is left now; `error` of the level is left to the caller.
  Level Take();
  // The sum of all scores so far: Σ‖W_now x − W x‖².
  double error() const { return error_; }

 private:
  void RemoveColumn();
  void RemoveGroup();
  // Brings M and W up to date and leaves removed columns out.
  void Flush();

  int rows_, group_;
  base::ThreadPool& pool_;
  double error_ = 0;

  // As of the last flush; `columns_` alive then, of which gone_ were removed since.
  std::vector<int> alive_;           // structures
  std::size_t columns_;              // alive_.size() · group
  std::vector<double> m_;            // [columns, columns]
  std::vector<double> w_;            // [columns, D]: W transposed, so that a column is contiguous
  std::vector<unsigned char> gone_;  // [columns]
  // Of the current state: diagonal of M, Σ_i W_ij² of each column.
  std::vector<double> diagonal_, norms_;
  // The removals since the flush, normalised by M_S,S = L Lᵀ, so that the current state is
  // M − Σ_i v_iᵀ v_i and W − Σ_i z_iᵀ v_i:  v = L⁻¹ M_S,:   z = L⁻¹ W_Sᵀ
  std::vector<double> v_;  // [pending, columns]
  std::vector<double> z_;  // [pending, D]
  std::size_t pending_ = 0;
  int left_;
};

}  // namespace hone::compress
