#include "compress/moments.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/matmul/matmul.h"

namespace hone::compress {
namespace {

// Rows of the sum that one task computes: enough that a packed panel is read from memory for many
// rows, few enough that tasks are many and the triangle's staircase wastes little.
constexpr int kTaskRows = 96;
// Transposed in squares whose rows and columns both stay in L1.
constexpr int kTile = 32;

}  // namespace

Moments::Moments(int width, base::ThreadPool& pool, base::Isa isa)
    : symmetric_(true), left_(width), right_(width), pool_(pool), isa_(isa) {
  sum_.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(width));
  column_sums_.resize(static_cast<std::size_t>(width));
}

Moments::Moments(int left, int right, base::ThreadPool& pool, base::Isa isa)
    : symmetric_(false), left_(left), right_(right), pool_(pool), isa_(isa) {
  sum_.resize(static_cast<std::size_t>(left) * static_cast<std::size_t>(right));
  column_sums_.resize(static_cast<std::size_t>(right));
  left_sums_.resize(static_cast<std::size_t>(left));
}

std::uint64_t Moments::Bytes(int left, int right, int rows) {
  const auto l = static_cast<std::uint64_t>(left), r = static_cast<std::uint64_t>(right);
  // Sums in f64; each side transposed, packed or prepared, in f32.
  return l * r * sizeof(double) + 2 * (l + r) * static_cast<std::uint64_t>(rows) * sizeof(float);
}

// out [width, rows] of x [rows, width].
void Moments::Transpose(std::span<const float> x, int width, int rows, std::vector<float>* out) {
  out->resize(x.size());
  pool_.ParallelFor((width + kTile - 1) / kTile, [&](int task, int) {
    const int i_end = std::min(width, (task + 1) * kTile);
    for (int t0 = 0; t0 < rows; t0 += kTile) {
      const int t_end = std::min(rows, t0 + kTile);
      for (int i = task * kTile; i < i_end; ++i) {
        for (int t = t0; t < t_end; ++t) {
          (*out)[static_cast<std::size_t>(i) * static_cast<std::size_t>(rows) +
                 static_cast<std::size_t>(t)] =
              x[static_cast<std::size_t>(t) * static_cast<std::size_t>(width) +
                static_cast<std::size_t>(i)];
        }
      }
    }
  });
}

// sum += left · transposed_ᵀ, both [width, rows]: a matrix product over the batch's rows.
void Moments::AddProduct(const std::vector<float>& left, int rows) {
  const kernels::MatMulKernel& kernel = kernels::SelectMatMul(quant::Format::kF32, isa_);
  kernels::WeightRows weights;
  weights.n = right_;
  weights.k = rows;
  for (int j = 0; j < right_; ++j) {
    weights.row.push_back(reinterpret_cast<const std::byte*>(
        transposed_.data() + static_cast<std::ptrdiff_t>(j) * rows));
  }
  const int panels = kernels::Panels(right_, kernel.tile_n);
  packed_.Reserve(kernel.packed_bytes(right_, rows));
  prepared_.Reserve(static_cast<std::size_t>(left_) * kernel.prepared_bytes(rows));
  const std::size_t scratch = (kernel.scratch_bytes(rows) + 63) / 64 * 64;
  scratch_.Reserve(scratch * static_cast<std::size_t>(pool_.threads()) + 64);
  const auto task_floats = static_cast<std::size_t>(kTaskRows) * static_cast<std::size_t>(right_);
  products_.resize(task_floats * static_cast<std::size_t>(pool_.threads()));

  pool_.ParallelFor(
      panels, [&](int panel, int) { kernel.pack(weights, panel, panel + 1, packed_.data()); });
  const int tasks = (left_ + kTaskRows - 1) / kTaskRows;
  pool_.ParallelFor(tasks, [&](int task, int worker) {
    const int begin = task * kTaskRows, end = std::min(left_, begin + kTaskRows);
    const int first_panel = symmetric_ ? begin / kernel.tile_n : 0;
    std::byte* prepared =
        prepared_.data() + static_cast<std::size_t>(begin) * kernel.prepared_bytes(rows);
    kernel.prepare(left.data() + static_cast<std::ptrdiff_t>(begin) * rows, rows, end - begin, rows,
                   prepared);
    float* products = products_.data() + static_cast<std::size_t>(worker) * task_floats;
    kernel.multiply(packed_.data(), right_, rows, prepared, end - begin, first_panel, panels, {},
                    products, right_, scratch_.data() + static_cast<std::size_t>(worker) * scratch,
                    {});
    for (int i = begin; i < end; ++i) {
      const float* from = products + static_cast<std::ptrdiff_t>(i - begin) * right_;
      double* to = sum_.data() + static_cast<std::ptrdiff_t>(i) * right_;
      for (int j = symmetric_ ? i : 0; j < right_; ++j) to[j] += double{from[j]};
    }
  });
}

void Moments::Add(std::span<const float> x) {
  HONE_CHECK(symmetric_ && x.size() % static_cast<std::size_t>(right_) == 0);
  const int rows = static_cast<int>(x.size() / static_cast<std::size_t>(right_));
  if (rows == 0) return;
  Transpose(x, right_, rows, &transposed_);
  AddProduct(transposed_, rows);
  AddColumns(x, &column_sums_);
  rows_ += rows;
}

void Moments::Add(std::span<const float> y, std::span<const float> x) {
  HONE_CHECK(!symmetric_ && x.size() % static_cast<std::size_t>(right_) == 0);
  const int rows = static_cast<int>(x.size() / static_cast<std::size_t>(right_));
  HONE_CHECK(y.size() == static_cast<std::size_t>(rows) * static_cast<std::size_t>(left_));
  if (rows == 0) return;
  Transpose(x, right_, rows, &transposed_);
  Transpose(y, left_, rows, &transposed_left_);
  AddProduct(transposed_left_, rows);
  AddColumns(x, &column_sums_);
  AddColumns(y, &left_sums_);
  rows_ += rows;
}

void Moments::AddColumns(std::span<const float> x, std::vector<double>* sums) {
  for (std::size_t begin = 0; begin < x.size(); begin += sums->size()) {
    for (std::size_t i = 0; i < sums->size(); ++i) (*sums)[i] += double{x[begin + i]};
  }
}

std::vector<double> Moments::Means(const std::vector<double>& sums) const {
  std::vector<double> means = sums;
  for (double& mean : means) mean /= std::max(1.0, static_cast<double>(rows_));
  return means;
}

std::vector<double> Moments::Take(double scale) {
  std::vector<double> taken = std::move(sum_);
  sum_.assign(taken.size(), 0.0);
  std::ranges::fill(column_sums_, 0.0);
  std::ranges::fill(left_sums_, 0.0);
  rows_ = 0;
  for (double& value : taken) value *= scale;
  if (!symmetric_) return taken;
  const auto n = static_cast<std::size_t>(right_);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) taken[j * n + i] = taken[i * n + j];
  }
  return taken;
}

}  // namespace hone::compress
