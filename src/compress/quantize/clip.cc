#include "compress/quantize/clip.h"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "quant/int4_search.h"

namespace hone::compress {
namespace {

using quant::kInt4Group;
using RowMajorF = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstRows = Eigen::Map<const RowMajorF>;

std::size_t Size(int n) {
  return static_cast<std::size_t>(n);
}

// The blocks of H along its diagonal, one a group, padded with zeros.
using HessianBlock = std::array<float, std::size_t{kInt4Group} * kInt4Group>;

std::vector<HessianBlock> Blocks(std::span<const double> hessian, int k) {
  double largest = 0;
  for (int i = 0; i < k; ++i) largest = std::max(largest, hessian[Size(i) * Size(k) + Size(i)]);
  const double scale = largest > 0 ? 1 / largest : 1;
  std::vector<HessianBlock> blocks(Size(quant::Int4Groups(k)), HessianBlock{});
  for (int i = 0; i < k; ++i) {
    const int first = i / kInt4Group * kInt4Group, last = std::min(k, first + kInt4Group);
    for (int j = first; j < last; ++j) {
      blocks[Size(i / kInt4Group)][Size((i - first) * kInt4Group + j - first)] =
          static_cast<float>(scale * hessian[Size(i) * Size(k) + Size(j)]);
    }
  }
  return blocks;
}

// δ·H·δ of a group, and of its diagonal alone.
float Quadratic(const HessianBlock& h, const std::array<float, kInt4Group>& delta) {
  float sum = 0;
  for (std::size_t i = 0; i < kInt4Group; ++i) {
    float dot = 0;
    for (std::size_t j = 0; j < kInt4Group; ++j) dot += h[i * kInt4Group + j] * delta[j];
    sum += delta[i] * dot;
  }
  return sum;
}

float Diagonal(const HessianBlock& h, const std::array<float, kInt4Group>& delta) {
  float sum = 0;
  for (std::size_t i = 0; i < kInt4Group; ++i) sum += h[i * (kInt4Group + 1)] * delta[i] * delta[i];
  return sum;
}

std::array<float, kInt4Group> Delta(const quant::Int4Group& group, float step, int z) {
  const float inverse = 1.0f / step;
  const auto zero = static_cast<float>(z);
  std::array<float, kInt4Group> delta;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    delta[i] = step * (quant::Int4Level(group.w[i], inverse, zero) - zero) - group.w[i];
  }
  return delta;
}

void ClipInt4Row(std::span<const float> row, const std::vector<HessianBlock>& blocks, int n,
                 quant::Int4Matrix* matrix) {
  std::vector<quant::Int4Group> groups;
  const float unit = quant::SplitInt4Row(row, &groups);
  if (unit == 0) return;
  // The scale by the diagonals, which are cheap; then each group by its whole block.
  std::vector<quant::Int4Choice> choices;
  const float scale = quant::ChooseInt4Row(
      groups,
      [&](std::size_t g, float step, int z) {
        return Diagonal(blocks[g], Delta(groups[g], step, z));
      },
      &choices);
  const std::size_t bytes = Size(quant::Int4RowBytes(matrix->k));
  double dot = 0, square = 0;  // wᵀHv and vᵀHv, block by block
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const quant::Int4Choice choice = quant::ChooseInt4(groups[g], scale, [&](float step, int z) {
      return Quadratic(blocks[g], Delta(groups[g], step, z));
    });
    matrix->group_scale[Size(n) * groups.size() + g] = static_cast<std::uint8_t>(choice.s);
    matrix->group_zero[Size(n) * groups.size() + g] = static_cast<std::uint8_t>(choice.z);
    const auto zero = static_cast<float>(choice.z);
    const float inverse = 1.0f / (static_cast<float>(choice.s) * scale);
    std::array<float, kInt4Group> v{};
    for (std::size_t i = 0; i < kInt4Group && g * kInt4Group + i < row.size(); ++i) {
      const float level = quant::Int4Level(groups[g].w[i], inverse, zero);
      v[i] = static_cast<float>(choice.s) * (level - zero);
      const std::size_t at = g * kInt4Group + i;
      std::uint8_t& pair = matrix->nibbles[Size(n) * bytes + at / 2];
      pair = static_cast<std::uint8_t>(pair | static_cast<unsigned>(level) << (at % 2 * 4));
    }
    for (std::size_t i = 0; i < kInt4Group; ++i) {
      float hv = 0;
      for (std::size_t j = 0; j < kInt4Group; ++j) hv += blocks[g][i * kInt4Group + j] * v[j];
      dot += double{hv} * groups[g].w[i];
      square += double{hv} * v[i];
    }
  }
  matrix->scale[Size(n)] =
      square > 0 && dot > 0 ? static_cast<float>(unit * (dot / square)) : unit * scale;
}

}  // namespace

quant::Int4Matrix ClippedInt4(std::span<const float> weights, int n, int k,
                              std::span<const double> hessian, base::ThreadPool& pool) {
  HONE_CHECK(weights.size() == Size(n) * Size(k) && hessian.size() == Size(k) * Size(k));
  const std::vector<HessianBlock> blocks = Blocks(hessian, k);
  quant::Int4Matrix matrix;
  matrix.n = n;
  matrix.k = k;
  matrix.nibbles.assign(Size(n) * Size(quant::Int4RowBytes(k)), 0);
  matrix.group_scale.assign(Size(n) * blocks.size(), 1);
  matrix.group_zero.assign(Size(n) * blocks.size(), 0);
  matrix.scale.assign(Size(n), 0);
  pool.ParallelFor(n, [&](int row, int) {
    ClipInt4Row(weights.subspan(Size(row) * Size(k), Size(k)), blocks, row, &matrix);
  });
  return matrix;
}

quant::Int8Matrix ClippedInt8(std::span<const float> weights, int n, int k,
                              std::span<const double> hessian, base::ThreadPool& pool) {
  HONE_CHECK(weights.size() == Size(n) * Size(k) && hessian.size() == Size(k) * Size(k));
  constexpr std::array<float, 6> kShrink = {1.0f, 0.95f, 0.9f, 0.85f, 0.8f, 0.7f};
  quant::Int8Matrix matrix{n, k, std::vector<std::int8_t>(weights.size()), {}};
  matrix.scale.resize(Size(n));
  pool.ParallelFor(n, [&](int row, int) {
    const std::span<const float> w = weights.subspan(Size(row) * Size(k), Size(k));
    const std::span<std::int8_t> out =
        std::span(matrix.values).subspan(Size(row) * Size(k), Size(k));
    const float covering = quant::QuantizeInt8Row(w, out);
    matrix.scale[Size(row)] = covering;
    if (covering == 0) return;
    double least = INFINITY;
    for (const float shrink : kShrink) {
      const float scale = covering * shrink;
      double error = 0;
      const auto level = [&](float x) {
        return std::clamp(std::nearbyint(x / scale), -127.0f, 127.0f);
      };
      for (std::size_t j = 0; j < w.size(); ++j) {
        const double delta = scale * level(w[j]) - w[j];
        error += hessian[j * (Size(k) + 1)] * delta * delta;
      }
      if (!(error < least)) continue;
      least = error;
      matrix.scale[Size(row)] = scale;
      for (std::size_t j = 0; j < w.size(); ++j) out[j] = static_cast<std::int8_t>(level(w[j]));
    }
  });
  return matrix;
}

double OutputError(std::span<const float> weights, std::span<const float> rounded, int n, int k,
                   std::span<const double> hessian) {
  HONE_CHECK(weights.size() == Size(n) * Size(k) && rounded.size() == weights.size());
  const RowMajorF w = ConstRows(weights.data(), n, k);
  const RowMajorF delta = w - ConstRows(rounded.data(), n, k);
  const RowMajorF h = Eigen::Map<const Eigen::MatrixXd>(hessian.data(), k, k).cast<float>();
  const auto trace = [&](const RowMajorF& m) {
    const RowMajorF product = m * h;
    return product.cast<double>().cwiseProduct(m.cast<double>()).sum();
  };
  const double whole = trace(w);
  return whole > 0 ? trace(delta) / whole : 0;
}

std::vector<float> Dequantized(const quant::Int8Matrix& matrix) {
  std::vector<float> out(matrix.values.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = matrix.scale[i / Size(matrix.k)] * static_cast<float>(matrix.values[i]);
  }
  return out;
}

std::vector<float> Dequantized(const quant::Int4Matrix& matrix) {
  const std::size_t k = Size(matrix.k), bytes = Size(quant::Int4RowBytes(matrix.k));
  const std::size_t groups = Size(quant::Int4Groups(matrix.k));
  std::vector<float> out(Size(matrix.n) * k);
  std::vector<std::int8_t> row(k);
  for (std::size_t n = 0; n < Size(matrix.n); ++n) {
    quant::ExpandInt4Row(std::span(matrix.nibbles).subspan(n * bytes, bytes),
                         std::span(matrix.group_scale).subspan(n * groups, groups),
                         std::span(matrix.group_zero).subspan(n * groups, groups), row);
    quant::DequantizeInt8Row(row, matrix.scale[n], std::span(out).subspan(n * k, k));
  }
  return out;
}

}  // namespace hone::compress
