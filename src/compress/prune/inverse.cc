#include "compress/prune/inverse.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>

#include "base/check.h"

namespace hone::compress {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixMap = Eigen::Map<Matrix>;
using ConstMatrixMap = Eigen::Map<const Matrix>;

// Columns of the inverse that one task solves for.
constexpr int kTaskColumns = 128;
// Where METHODS of ZipLM and GPTQ begin when no damping was asked for and none does not do.
constexpr double kFirstDamping = 0.01;

}  // namespace

double DampedInverse::Energy(std::span<const float> weight, int rows,
                             base::ThreadPool& pool) const {
  HONE_CHECK(weight.size() == static_cast<std::size_t>(rows) * static_cast<std::size_t>(n));
  constexpr int kTaskRows = 64;
  const ConstMatrixMap lower(factor.data(), n, n);
  std::vector<double> sums(static_cast<std::size_t>((rows + kTaskRows - 1) / kTaskRows));
  pool.ParallelFor(static_cast<int>(sums.size()), [&](int task, int) {
    const int begin = task * kTaskRows, count = std::min(kTaskRows, rows - begin);
    Matrix w =
        Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
            weight.data() + static_cast<std::ptrdiff_t>(begin) * n, count, n)
            .cast<double>();
    for (int j = 0; j < n; ++j) {
      if (dead[static_cast<std::size_t>(j)] != 0) w.col(j).setZero();
    }
    const Matrix product = w * lower.triangularView<Eigen::Lower>();
    sums[static_cast<std::size_t>(task)] = product.squaredNorm();
  });
  double energy = 0;
  for (const double sum : sums) energy += sum;
  return energy;
}

base::StatusOr<DampedInverse> InvertHessian(std::span<const double> hessian, int n, double damping,
                                            base::ThreadPool& pool) {
  const auto size = static_cast<std::size_t>(n);
  HONE_CHECK(hessian.size() == size * size && n > 0);
  DampedInverse inverse;
  inverse.n = n;
  inverse.dead.assign(size, 0);
  double mean = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const double diagonal = hessian[i * size + i];
    if (!std::isfinite(diagonal)) {
      return base::BadInput("the calibration data lead to activations that are not finite (input ",
                            i, ")");
    }
    if (diagonal <= 0) inverse.dead[i] = 1;
    mean += std::max(0.0, diagonal) / static_cast<double>(n);
  }
  for (double add = damping;; add = add > 0 ? 10 * add : kFirstDamping) {
    Matrix h = ConstMatrixMap(hessian.data(), n, n);
    inverse.damping = add * mean;
    for (int i = 0; i < n; ++i) {
      if (inverse.dead[static_cast<std::size_t>(i)] != 0) h(i, i) = 1;
      h(i, i) += inverse.damping;
    }
    // In place, and both triangles the same: the row-major lower is the column-major upper.
    Eigen::LLT<Eigen::Ref<Matrix>> llt(h);
    // A matrix as large as its own mean on the diagonal is positive definite.
    if (llt.info() != Eigen::Success && add < 1e3) continue;
    if (llt.info() != Eigen::Success) {
      return base::BadInput("the calibration data lead to activations that are not finite");
    }
    inverse.m.resize(size * size);
    MatrixMap m(inverse.m.data(), n, n);
    pool.ParallelFor((n + kTaskColumns - 1) / kTaskColumns, [&](int task, int) {
      const int begin = task * kTaskColumns, count = std::min(kTaskColumns, n - begin);
      // Column major and contiguous while it is solved. What stands above `begin` in the first,
      // forward half is 0: it is left out.
      Eigen::MatrixXd x = Eigen::MatrixXd::Zero(n, count);
      x.middleRows(begin, count).setIdentity();
      auto lower = h.bottomRightCorner(n - begin, n - begin).triangularView<Eigen::Lower>();
      auto rest = x.bottomRows(n - begin);
      lower.solveInPlace(rest);
      h.triangularView<Eigen::Lower>().transpose().solveInPlace(x);
      m.middleRows(begin, count) = x.transpose();
    });
    h.triangularView<Eigen::StrictlyUpper>().setZero();
    inverse.factor.assign(h.data(), h.data() + size * size);
    return inverse;
  }
}

}  // namespace hone::compress
