#include "compress/quantize/scale_search.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/check.h"
#include "compress/quantize/clip.h"
#include "quant/int4.h"
#include "quant/int8.h"

namespace hone::compress {
namespace {

using Eigen::Index;
using RowMajorF = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstRows = Eigen::Map<const RowMajorF>;
using Row = Eigen::RowVectorXf;

bool IsInteger(quant::Format format) {
  return format == quant::Format::kInt8 || format == quant::Format::kInt4;
}

// As the engine's kernels encode activations: symmetric, a scale a row.
RowMajorF RoundedRows(const RowMajorF& x) {
  RowMajorF out(x.rows(), x.cols());
  const auto k = static_cast<std::size_t>(x.cols());
  std::vector<std::int8_t> q(k);
  for (Index r = 0; r < x.rows(); ++r) {
    const float scale = quant::QuantizeInt8Row({x.row(r).data(), k}, q);
    quant::DequantizeInt8Row(q, scale, {out.row(r).data(), k});
  }
  return out;
}

// Rounded to nearest, by rows in parallel.
RowMajorF RoundedWeights(const RowMajorF& w, quant::Format format, base::ThreadPool& pool) {
  if (format == quant::Format::kInt8) return RoundedRows(w);
  RowMajorF out(w.rows(), w.cols());
  const auto k = static_cast<std::size_t>(w.cols());
  pool.ParallelFor(static_cast<int>(w.rows()), [&](int r, int) {
    const std::vector<float> row =
        Dequantized(quant::QuantizeInt4({w.row(r).data(), k}, 1, static_cast<int>(k)));
    std::ranges::copy(row, out.row(r).data());
  });
  return out;
}

// Scaled so that the largest and the smallest are reciprocal; dead channels keep 1.
void Normalize(Row* scale) {
  float low = INFINITY, high = 0;
  for (const float s : *scale) {
    if (!(s > 0) || !std::isfinite(s)) continue;
    low = std::min(low, s);
    high = std::max(high, s);
  }
  const float middle = high > 0 ? std::sqrt(low * high) : 1;
  for (float& s : *scale) s = s > 0 && std::isfinite(s) ? std::clamp(s / middle, 1e-3f, 1e3f) : 1;
}

class Search {
 public:
  Search(std::span<const float> rows, int k, std::span<const ScaledMatrix> matrices,
         base::ThreadPool& pool)
      : x_(ConstRows(rows.data(), static_cast<Index>(rows.size()) / k, k)), pool_(pool) {
    for (const ScaledMatrix& matrix : matrices) {
      if (!IsInteger(matrix.format)) continue;
      weights_.push_back({ConstRows(matrix.weights.data(), matrix.n, k), matrix.format});
      outputs_.push_back(x_ * weights_.back().w.transpose());
      norm_ += outputs_.back().squaredNorm();
      int4_ |= matrix.format == quant::Format::kInt4;
    }
  }

  ScaleChoice Run(float smooth) {
    ScaleChoice best;
    if (weights_.empty() || norm_ == 0) return best;
    best.before = best.after = Error(Row::Ones(x_.cols()));
    const Row rms = (x_.array().square().colwise().mean()).sqrt();
    const Row largest = x_.cwiseAbs().colwise().maxCoeff();
    Row heaviest = Row::Zero(x_.cols());
    for (const Weights& weights : weights_) {
      heaviest = heaviest.cwiseMax(weights.w.cwiseAbs().colwise().maxCoeff());
    }
    const auto attempt = [&](Row scale) {
      Normalize(&scale);
      const double error = Error(scale);
      if (error >= best.after) return;
      best.after = error;
      best.scale.assign(scale.begin(), scale.end());
    };
    const auto attempt_smooth = [&](float a) {
      attempt((largest.array().pow(a) / heaviest.array().pow(1 - a)).matrix());
    };
    if (smooth > 0) {
      attempt_smooth(smooth);
    } else if (int4_) {
      for (int step = 1; step < 20; ++step) {
        attempt(rms.array().pow(0.05f * static_cast<float>(step)).matrix());
      }
    } else {
      for (const float a : {0.5f, 0.6f, 0.7f, 0.8f}) attempt_smooth(a);
    }
    return best;
  }

 private:
  struct Weights {
    RowMajorF w;
    quant::Format format;
  };

  double Error(const Row& scale) const {
    const RowMajorF x = RoundedRows(x_.array().rowwise() / scale.array());
    double sum = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      const RowMajorF scaled = weights_[i].w.array().rowwise() * scale.array();
      const RowMajorF w = RoundedWeights(scaled, weights_[i].format, pool_);
      sum += (x * w.transpose() - outputs_[i]).squaredNorm();
    }
    return sum / norm_;
  }

  RowMajorF x_;
  std::vector<Weights> weights_;
  std::vector<RowMajorF> outputs_;
  double norm_ = 0;
  bool int4_ = false;
  base::ThreadPool& pool_;
};

}  // namespace

ScaleChoice SearchScale(std::span<const float> rows, int k, std::span<const ScaledMatrix> matrices,
                        float smooth, base::ThreadPool& pool) {
  HONE_CHECK(k > 0 && rows.size() % static_cast<std::size_t>(k) == 0);
  return Search(rows, k, matrices, pool).Run(smooth);
}

}  // namespace hone::compress
