#include "compress/quantize/gptq.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "quant/int4_search.h"

namespace hone::compress {
namespace {

using Eigen::Index;
using RowMajorF = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstRows = Eigen::Map<const RowMajorF>;

// Updates of later columns are gathered over this many and then applied as one matrix product.
constexpr Index kBlock = 128;
// Rows that one task takes: U is read once for all of them.
constexpr int kRows = 64;

std::size_t Size(Index n) {
  return static_cast<std::size_t>(n);
}

// The loop of algorithm 1 over `rows` rows. round(row, j, weights of the row) is the rounded value
// of input j; it is called in the order of j within a row.
template <class Round>
void RoundInOrder(const GptqFactor& factor, RowMajorF* weights, const Round& round) {
  const Index k = factor.k, rows = weights->rows();
  const ConstRows upper(factor.upper.data(), k, k);
  RowMajorF errors(rows, kBlock);
  for (Index begin = 0; begin < k; begin += kBlock) {
    const Index end = std::min(k, begin + kBlock);
    for (Index r = 0; r < rows; ++r) {
      float* row = weights->row(r).data();
      for (Index j = begin; j < end; ++j) {
        const float* u = factor.upper.data() + j * k;
        const float error = (row[j] - round(r, j, row)) / u[j];
        errors(r, j - begin) = error;
        for (Index i = j + 1; i < end; ++i) row[i] -= error * u[i];
      }
    }
    if (end == k) break;
    weights->rightCols(k - end).noalias() -=
        errors.leftCols(end - begin) * upper.block(begin, end, end - begin, k - end);
  }
}

// The scales a_r of least squares under H of the rows w ≈ a·v; 0 where v is.
void RefitScales(const GptqFactor& factor, const RowMajorF& w, const RowMajorF& v, float* scale) {
  const ConstRows hessian(factor.hessian.data(), factor.k, factor.k);
  const RowMajorF hv = v * hessian;
  for (Index r = 0; r < v.rows(); ++r) {
    const auto row = hv.row(r).cast<double>();
    const double square = row.dot(v.row(r).cast<double>());
    const double dot = row.dot(w.row(r).cast<double>());
    // Rows whose outputs are all zero say nothing of the scale: it stays.
    if (square > 0 && dot > 0) scale[r] = static_cast<float>(dot / square);
  }
}

// Rows [begin, begin + count) of the matrix; weights of inputs that never occur become 0.
RowMajorF TakeRows(std::span<const float> weights, int begin, int count, const GptqFactor& factor) {
  RowMajorF rows = ConstRows(weights.data() + std::ptrdiff_t{begin} * factor.k, count, factor.k);
  for (int j = 0; j < factor.k; ++j) {
    if (factor.dead[Size(j)]) rows.col(j).setZero();
  }
  return rows;
}

// One row of int4 in the making: everything in units of `unit`.
struct Int4Row {
  float unit = 0, scale = 0;  // the row's scale is their product
  quant::Int4Choice choice;   // of the group that is being rounded
};

float WeightedError(const quant::Int4Group& group, const float* importance, std::size_t count,
                    float step, int z) {
  const float inverse = 1.0f / step;
  const auto zero = static_cast<float>(z);
  float sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const float error = step * (quant::Int4Level(group.w[i], inverse, zero) - zero) - group.w[i];
    sum += importance[i] * error * error;
  }
  return sum;
}

class Int4Rounder {
 public:
  Int4Rounder(const GptqFactor& factor, int begin, quant::Int4Matrix* matrix)
      : factor_(factor),
        begin_(begin),
        groups_(Size(quant::Int4Groups(factor.k))),
        bytes_(Size(quant::Int4RowBytes(factor.k))),
        matrix_(*matrix) {}

  void Run(const RowMajorF& original);

 private:
  std::size_t GroupSize(std::size_t g) const {
    return std::min<std::size_t>(quant::kInt4Group, Size(factor_.k) - g * quant::kInt4Group);
  }
  void StartRow(std::span<const float> row, Int4Row* out) const;
  float Round(Index r, Index j, const float* row, Int4Row* state);

  const GptqFactor& factor_;
  int begin_;
  std::size_t groups_, bytes_;
  quant::Int4Matrix& matrix_;
  RowMajorF integers_;
};

// Chooses the row's scale.
void Int4Rounder::StartRow(std::span<const float> row, Int4Row* out) const {
  std::vector<quant::Int4Group> groups;
  out->unit = quant::SplitInt4Row(row, &groups);
  if (out->unit == 0) return;
  std::vector<quant::Int4Choice> choices;
  out->scale = quant::ChooseInt4Row(
      groups,
      [&](std::size_t g, float step, int z) {
        return WeightedError(groups[g], factor_.importance.data() + g * quant::kInt4Group,
                             GroupSize(g), step, z);
      },
      &choices);
}

float Int4Rounder::Round(Index r, Index j, const float* row, Int4Row* state) {
  if (state->unit == 0) return row[j];
  const auto n = Size(begin_) + Size(r), g = Size(j) / quant::kInt4Group;
  if (j % quant::kInt4Group == 0) {
    quant::Int4Group group;
    quant::SetInt4Group({row + j, GroupSize(g)}, &group);
    state->choice = quant::ChooseInt4(group, state->scale, [&](float step, int z) {
      return WeightedError(group, factor_.importance.data() + j, GroupSize(g), step, z);
    });
    matrix_.group_scale[n * groups_ + g] = static_cast<std::uint8_t>(state->choice.s);
    matrix_.group_zero[n * groups_ + g] = static_cast<std::uint8_t>(state->choice.z);
  }
  const float step = static_cast<float>(state->choice.s) * state->scale;
  const auto zero = static_cast<float>(state->choice.z);
  const float level = quant::Int4Level(row[j], 1.0f / step, zero);
  std::uint8_t& pair = matrix_.nibbles[n * bytes_ + Size(j) / 2];
  pair = static_cast<std::uint8_t>(pair | static_cast<unsigned>(level) << (j % 2 * 4));
  integers_(r, j) = static_cast<float>(state->choice.s) * (level - zero);
  return step * (level - zero);
}

void Int4Rounder::Run(const RowMajorF& original) {
  RowMajorF weights = original;
  integers_ = RowMajorF::Zero(weights.rows(), weights.cols());
  std::vector<Int4Row> rows(Size(weights.rows()));
  for (Index r = 0; r < weights.rows(); ++r) {
    Int4Row& row = rows[Size(r)];
    StartRow({weights.row(r).data(), Size(weights.cols())}, &row);
    if (row.unit != 0) weights.row(r) /= row.unit;
    matrix_.scale[Size(begin_) + Size(r)] = row.unit * row.scale;
  }
  RoundInOrder(factor_, &weights, [&](Index r, Index j, const float* row) {
    return Round(r, j, row, &rows[Size(r)]);
  });
  RefitScales(factor_, original, integers_, matrix_.scale.data() + begin_);
}

// body(first row, count) for chunks that together are all rows.
template <class Body>
void ForChunks(int n, base::ThreadPool& pool, const Body& body) {
  pool.ParallelFor((n + kRows - 1) / kRows,
                   [&](int task, int) { body(task * kRows, std::min(kRows, n - task * kRows)); });
}

}  // namespace

base::StatusOr<GptqFactor> FactorHessian(std::span<const double> hessian, int k, double damping) {
  HONE_CHECK(k > 0 && hessian.size() == Size(k) * Size(k));
  GptqFactor factor;
  factor.k = k;
  factor.dead.resize(Size(k));
  factor.hessian.assign(hessian.begin(), hessian.end());
  if (!std::ranges::all_of(hessian, [](double x) { return std::isfinite(x); })) {
    return base::BadInput("the calibration data give activations that are not finite");
  }
  using Matrix = Eigen::MatrixXd;
  Matrix h = Eigen::Map<const Matrix>(hessian.data(), k, k);
  const double mean = h.diagonal().mean();
  if (!(mean > 0)) return base::BadInput("the calibration data leave every input at 0");
  for (Index i = 0; i < k; ++i) {
    factor.dead[Size(i)] = h(i, i) <= 0;
    if (factor.dead[Size(i)]) h(i, i) = mean;
    h(i, i) += damping * mean;
  }
  // H = R·Rᵀ with R upper triangular (Cholesky from the other end) gives U = R⁻¹ without an inverse
  // of H, whose rounding a second factorisation would have to survive.
  const Matrix flipped = h.reverse();
  const Eigen::LLT<Matrix> cholesky(flipped);
  if (cholesky.info() != Eigen::Success) {
    return base::BadInput(
        "the calibration data's second moments are not positive definite; take "
        "more texts");
  }
  const Matrix r = Matrix(cholesky.matrixL()).reverse();
  const Matrix u = r.triangularView<Eigen::Upper>().solve(Matrix::Identity(k, k));
  factor.upper.resize(Size(k) * Size(k));
  Eigen::Map<RowMajorF>(factor.upper.data(), k, k) = u.cast<float>();
  factor.importance.resize(Size(k));
  double least = INFINITY;
  for (Index j = 0; j < k; ++j) least = std::min(least, std::abs(u(j, j)));
  for (Index j = 0; j < k; ++j) {
    factor.importance[Size(j)] = static_cast<float>(std::pow(least / u(j, j), 2));
  }
  return factor;
}

quant::Int4Matrix GptqInt4(std::span<const float> weights, int n, const GptqFactor& factor,
                           base::ThreadPool& pool) {
  HONE_CHECK(weights.size() == Size(n) * Size(factor.k));
  quant::Int4Matrix matrix;
  matrix.n = n;
  matrix.k = factor.k;
  const std::size_t groups = Size(n) * Size(quant::Int4Groups(factor.k));
  matrix.nibbles.assign(Size(n) * Size(quant::Int4RowBytes(factor.k)), 0);
  matrix.group_scale.assign(groups, 1);
  matrix.group_zero.assign(groups, 0);
  matrix.scale.assign(Size(n), 0);
  ForChunks(n, pool, [&](int begin, int count) {
    Int4Rounder(factor, begin, &matrix).Run(TakeRows(weights, begin, count, factor));
  });
  return matrix;
}

quant::Int8Matrix GptqInt8(std::span<const float> weights, int n, const GptqFactor& factor,
                           base::ThreadPool& pool) {
  HONE_CHECK(weights.size() == Size(n) * Size(factor.k));
  quant::Int8Matrix matrix{n, factor.k, {}, {}};
  matrix.values.assign(weights.size(), 0);
  matrix.scale.assign(Size(n), 0);
  ForChunks(n, pool, [&](int begin, int count) {
    const RowMajorF original = TakeRows(weights, begin, count, factor);
    RowMajorF rows = original, integers = RowMajorF::Zero(count, factor.k);
    for (Index r = 0; r < count; ++r) {
      const float scale = rows.row(r).cwiseAbs().maxCoeff() / 127.0f;
      // As in quant/int8.cc: below this the reciprocal overflows.
      matrix.scale[Size(begin) + Size(r)] = scale >= 1e-38f ? scale : 0;
    }
    RoundInOrder(factor, &rows, [&](Index r, Index j, const float* row) {
      const auto at = Size(begin) + Size(r);
      const float scale = matrix.scale[at];
      if (scale == 0) return row[j];
      const float q = std::clamp(std::nearbyint(row[j] / scale), -127.0f, 127.0f);
      matrix.values[at * Size(factor.k) + Size(j)] = static_cast<std::int8_t>(q);
      integers(r, j) = q;
      return q * scale;
    });
    RefitScales(factor, original, integers, matrix.scale.data() + begin);
  });
  return matrix;
}

}  // namespace hone::compress
