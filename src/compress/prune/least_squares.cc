#include "compress/prune/least_squares.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include "base/check.h"

namespace hone::compress {

void FitNear(std::span<const double> h, std::span<const double> c, int rows, int n, double ridge,
             std::vector<float>* weight) {
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto size = static_cast<std::size_t>(n), row_count = static_cast<std::size_t>(rows);
  HONE_CHECK(h.size() == size * size && c.size() == row_count * size);
  HONE_CHECK(weight->size() == row_count * size && ridge > 0);
  const Eigen::Map<const Matrix> hessian(h.data(), n, n), cross(c.data(), rows, n);
  Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> w(
      weight->data(), rows, n);
  Matrix damped = hessian;
  // An input that is always 0 leaves its row of H 0: the ridge keeps its weight as it is.
  damped.diagonal().array() += ridge * hessian.diagonal().mean();
  const Eigen::LLT<Eigen::Ref<Matrix>> llt(damped);
  if (llt.info() != Eigen::Success) return;
  const Matrix near = w.cast<double>();
  const Eigen::MatrixXd gap = (cross - near * hessian).transpose();
  w = (near + llt.solve(gap).transpose()).cast<float>();
}

}  // namespace hone::compress
