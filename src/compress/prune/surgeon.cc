#include "compress/prune/surgeon.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace hone::compress {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixMap = Eigen::Map<Matrix>;
using VectorMap = Eigen::Map<Eigen::VectorXd>;

// Removals between two flushes. A removal's own cost grows with them, a flush's cost a removal
// falls.
constexpr std::size_t kPending = 64;
// Rows of M or W that one task brings up to date.
constexpr std::size_t kTaskRows = 128;
// Below this many multiply-adds a product is not worth waking the other threads for.
constexpr std::size_t kWorthThreads = 1 << 17;

Eigen::Index Index(std::size_t i) {
  return static_cast<Eigen::Index>(i);
}

}  // namespace

Surgeon::Surgeon(const RemovalRequest& request, DampedInverse inverse, base::ThreadPool& pool)
    : rows_(request.rows),
      group_(request.group),
      pool_(pool),
      columns_(static_cast<std::size_t>(request.columns)),
      m_(std::move(inverse.m)),
      left_(request.columns / request.group) {
  alive_.resize(static_cast<std::size_t>(left_));
  std::iota(alive_.begin(), alive_.end(), 0);
  const auto rows = static_cast<std::size_t>(rows_);
  w_.resize(columns_ * rows);
  for (std::size_t j = 0; j < columns_; ++j) {
    // What multiplies an input that is always 0 means nothing.
    if (inverse.dead[j] != 0) continue;
    for (std::size_t r = 0; r < rows; ++r) {
      w_[j * rows + r] = double{request.weight[r * columns_ + j]};
    }
  }
  gone_.assign(columns_, 0);
  Flush();
}

void Surgeon::RemoveDownTo(int count) {
  while (left_ > count) {
    if (group_ == 1) {
      RemoveColumn();
    } else {
      RemoveGroup();
    }
    --left_;
  }
}

void Surgeon::RemoveColumn() {
  std::size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < columns_; ++k) {
    if (gone_[k] != 0) continue;
    const double score = norms_[k] / diagonal_[k];
    if (score < least) {
      least = score;
      best = k;
    }
  }
  const Eigen::Index n = Index(columns_), d = rows_, p = Index(pending_);
  if (v_.size() < kPending * columns_) v_.resize(kPending * columns_);
  z_.resize(kPending * static_cast<std::size_t>(rows_));
  const MatrixMap m(m_.data(), n, n), w(w_.data(), n, d);
  const MatrixMap earlier_v(v_.data(), p, n), earlier_z(z_.data(), p, d);
  VectorMap v(v_.data() + p * n, n), z(z_.data() + p * d, d);
  const Eigen::VectorXd coefficients = earlier_v.col(Index(best));
  v.noalias() = m.row(Index(best)).transpose() - earlier_v.transpose() * coefficients;
  z.noalias() = w.row(Index(best)).transpose() - earlier_z.transpose() * coefficients;
  // Positive in exact arithmetic; rounding must not make it the root of a negative number.
  const double scale = 1 / std::sqrt(std::max(v[Index(best)], 1e-300));
  v *= scale;
  z *= scale;
  const double z_norm = z.squaredNorm();
  error_ += z_norm;

  // What the update does to every column's norm: ‖w_k − v_k z‖² needs w_k·z of the current w_k.
  Eigen::VectorXd dots(n);
  const Eigen::VectorXd earlier_dots = earlier_z * z;
  const auto dot_rows = [&](Eigen::Index begin, Eigen::Index count) {
    dots.segment(begin, count).noalias() =
        w.middleRows(begin, count) * z -
        earlier_v.middleCols(begin, count).transpose() * earlier_dots;
  };
  if (columns_ * static_cast<std::size_t>(rows_) < kWorthThreads) {
    dot_rows(0, n);
  } else {
    const int tasks = pool_.threads();
    pool_.ParallelFor(tasks, [&](int task, int) {
      const Eigen::Index begin = n * task / tasks;
      dot_rows(begin, n * (task + 1) / tasks - begin);
    });
  }
  for (Eigen::Index k = 0; k < n; ++k) {
    const auto i = static_cast<std::size_t>(k);
    norms_[i] = std::max(0.0, norms_[i] - 2 * v[k] * dots[k] + v[k] * v[k] * z_norm);
    diagonal_[i] = std::max(1e-300, diagonal_[i] - v[k] * v[k]);
  }
  gone_[best] = 1;
  if (++pending_ == kPending) Flush();
}

// Heads are few and large: every removal is brought in at once.
void Surgeon::RemoveGroup() {
  const Eigen::Index n = Index(columns_), d = rows_, g = group_;
  const MatrixMap m(m_.data(), n, n), w(w_.data(), n, d);
  Eigen::Index best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (Eigen::Index s = 0; s < Index(alive_.size()); ++s) {
    const Eigen::LLT<Matrix> llt(m.block(s * g, s * g, g, g));
    const Matrix z = llt.matrixL().solve(w.middleRows(s * g, g));
    const double score = z.squaredNorm();
    if (score < least) {
      least = score;
      best = s;
    }
  }
  const Eigen::LLT<Matrix> llt(m.block(best * g, best * g, g, g));
  pending_ = static_cast<std::size_t>(g);
  v_.resize(pending_ * columns_);
  z_.resize(pending_ * static_cast<std::size_t>(rows_));
  MatrixMap(v_.data(), g, n) = llt.matrixL().solve(m.middleRows(best * g, g));
  MatrixMap(z_.data(), g, d) = llt.matrixL().solve(w.middleRows(best * g, g));
  error_ += MatrixMap(z_.data(), g, d).squaredNorm();
  std::fill_n(gone_.begin() + best * g, g, 1);
  Flush();
}

void Surgeon::Flush() {
  std::vector<std::size_t> kept;
  std::vector<int> alive;
  for (std::size_t k = 0; k < columns_; ++k) {
    if (gone_[k] != 0) continue;
    kept.push_back(k);
    const auto group = static_cast<std::size_t>(group_);
    if (k % group == 0) alive.push_back(alive_[k / group]);
  }
  const Eigen::Index n = Index(kept.size()), d = rows_, p = Index(pending_);
  const MatrixMap old_w(w_.data(), Index(columns_), d), v(v_.data(), p, Index(columns_));
  const MatrixMap z(z_.data(), p, d);
  Matrix kept_v(p, n);
  for (Eigen::Index k = 0; k < n; ++k)
    kept_v.col(k) = v.col(Index(kept[static_cast<std::size_t>(k)]));
  std::vector<double> new_m(kept.size() * kept.size());
  std::vector<double> new_w(kept.size() * static_cast<std::size_t>(rows_));
  MatrixMap to_m(new_m.data(), n, n), to_w(new_w.data(), n, d);
  norms_.resize(kept.size());
  diagonal_.resize(kept.size());
  const auto bring_up = [&](Eigen::Index begin, Eigen::Index count) {
    for (Eigen::Index k = begin; k < begin + count; ++k) {
      const std::size_t from = kept[static_cast<std::size_t>(k)];
      const double* row = m_.data() + from * columns_;
      for (std::size_t j = 0; j < kept.size(); ++j) to_m(k, Index(j)) = row[kept[j]];
      to_w.row(k) = old_w.row(Index(from));
    }
    if (p > 0) {
      to_m.middleRows(begin, count).noalias() -=
          kept_v.middleCols(begin, count).transpose() * kept_v;
      to_w.middleRows(begin, count).noalias() -= kept_v.middleCols(begin, count).transpose() * z;
    }
    for (Eigen::Index k = begin; k < begin + count; ++k) {
      norms_[static_cast<std::size_t>(k)] = to_w.row(k).squaredNorm();
      diagonal_[static_cast<std::size_t>(k)] = to_m(k, k);
    }
  };
  const int tasks = static_cast<int>((kept.size() + kTaskRows - 1) / kTaskRows);
  pool_.ParallelFor(tasks, [&](int task, int) {
    const Eigen::Index begin = Index(kTaskRows) * task;
    bring_up(begin, std::min(Index(kTaskRows), n - begin));
  });
  m_ = std::move(new_m);
  w_ = std::move(new_w);
  alive_ = std::move(alive);
  columns_ = kept.size();
  gone_.assign(columns_, 0);
  pending_ = 0;
}

Level Surgeon::Take() {
  if (pending_ > 0) Flush();
  Level level{.kept = left_, .error = 0, .structures = alive_, .weight = {}, .bias_shift = {}};
  const auto rows = static_cast<std::size_t>(rows_);
  level.weight.resize(rows * columns_);
  for (std::size_t j = 0; j < columns_; ++j) {
    for (std::size_t r = 0; r < rows; ++r) {
      level.weight[r * columns_ + j] = static_cast<float>(w_[j * rows + r]);
    }
  }
  return level;
}

}  // namespace hone::compress
