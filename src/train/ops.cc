#include "train/ops.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/check.h"
#include "base/split_mix64.h"
#include "kernels/short_attention/short_attention.h"
#include "train/fused_ops.h"

namespace hone::train {
namespace {

at::Tensor Indices(const std::vector<std::int64_t>& values) {
  return at::tensor(values, at::kLong);
}

std::vector<std::int64_t> Widen(std::span<const std::int32_t> values) {
  return {values.begin(), values.end()};
}

// The place of each token in its text.
std::vector<std::int64_t> Positions(const runtime::Batch& batch, std::int64_t offset) {
  std::vector<std::int64_t> positions;
  positions.reserve(batch.ids.size());
  for (int b = 0; b < batch.texts(); ++b) {
    for (int t = 0; t < batch.length(b); ++t) positions.push_back(t + offset);
  }
  return positions;
}

}  // namespace

at::Tensor Linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return bias.defined() ? at::addmm(bias, x, weight.t()) : at::mm(x, weight.t());
}

at::Tensor Activate(kernels::Activation activation, const at::Tensor& x) {
  switch (activation) {
    case kernels::Activation::kNone: return x;
    case kernels::Activation::kGelu: return at::gelu(x);
    case kernels::Activation::kGeluTanh: return at::gelu(x, "tanh");
    case kernels::Activation::kRelu: return at::relu(x);
    case kernels::Activation::kSilu: return at::silu(x);
    case kernels::Activation::kTanh: return at::tanh(x);
  }
  HONE_CHECK(false);
}

at::Tensor ActivateGate(kernels::Activation activation, const at::Tensor& x) {
  const std::int64_t width = x.size(1) / 2;
  return Activate(activation, x.narrow(1, 0, width)) * x.narrow(1, width, width);
}

at::Tensor Drop(const at::Tensor& x, const Dropout& dropout) {
  if (dropout.rate <= 0) return x;
  at::Tensor keep = at::empty_like(x);
  float* values = keep.data_ptr<float>();
  const float scale = 1 / (1 - dropout.rate);
  const auto limit = static_cast<std::uint64_t>(double{dropout.rate} * 0x1p32);
  // Random bits of the position: any split over threads gives the same.
  at::parallel_for(0, keep.numel(), 1 << 14, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::uint64_t bits =
          base::MixBits(dropout.seed + static_cast<std::uint64_t>(i + 1) * base::kSplitMixStep);
      values[i] = bits >> 32 < limit ? 0 : scale;
    }
  });
  return x * keep;
}

at::Tensor AddDropped(const at::Tensor& x, const at::Tensor& y, const Dropout& dropout) {
  return x + Drop(y, dropout);
}

at::Tensor Normalise(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& bias,
                     float epsilon) {
  if (!gain.defined()) return x;
  return at::layer_norm(x, gain.sizes(), gain, bias, epsilon);
}

at::Tensor AddNormalise(const at::Tensor& x, const at::Tensor& y, const Dropout& dropout,
                        const at::Tensor& gain, const at::Tensor& bias, float epsilon) {
  return Normalise(y.defined() ? x + Drop(y, dropout) : x, gain, bias, epsilon);
}

at::Tensor Rotate(const at::Tensor& x, const runtime::Batch& batch, int head_size, float base) {
  const std::int64_t tokens = x.size(0), half = head_size / 2;
  at::Tensor turn = at::empty({2, tokens, 1, half}, at::kFloat);
  float* cosine = turn.data_ptr<float>();
  float* sine = cosine + tokens * half;
  const std::vector<std::int64_t> positions = Positions(batch, 0);
  for (std::int64_t t = 0; t < tokens; ++t) {
    for (std::int64_t i = 0; i < half; ++i) {
      const double angle =
          static_cast<double>(positions[static_cast<std::size_t>(t)]) *
          std::pow(double{base}, -2 * static_cast<double>(i) / static_cast<double>(head_size));
      *cosine++ = static_cast<float>(std::cos(angle));
      *sine++ = static_cast<float>(std::sin(angle));
    }
  }
  const at::Tensor split = x.view({tokens, -1, 2, half});
  const at::Tensor a = split.select(2, 0), b = split.select(2, 1);
  return at::stack({a * turn[0] - b * turn[1], b * turn[0] + a * turn[1]}, 2).view(x.sizes());
}

at::Tensor Attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                  const at::Tensor& relative_bias, const AttentionShape& shape,
                  const runtime::Batch& batch, const Dropout& dropout) {
  int longest = 0;
  for (int b = 0; b < batch.texts(); ++b) longest = std::max(longest, batch.length(b));
  const bool plain = !relative_bias.defined() && shape.window < 0;
  if (plain && longest <= kernels::kShortAttentionTokens) {
    return AttendShort(q, k, v, shape.heads, batch.begins, dropout);
  }
  const std::int64_t heads = shape.heads, size = shape.head_size;
  std::map<int, std::vector<int>> by_length;
  for (int b = 0; b < batch.texts(); ++b) by_length[batch.length(b)].push_back(b);
  std::vector<at::Tensor> parts;
  std::vector<std::int64_t> place(batch.ids.size());
  std::int64_t row = 0;
  for (const auto& [length, texts] : by_length) {
    std::vector<std::int64_t> rows;
    for (const int b : texts) {
      for (int t = 0; t < length; ++t) {
        place[static_cast<std::size_t>(batch.begin(b) + t)] = row++;
        rows.push_back(batch.begin(b) + t);
      }
    }
    const at::Tensor index = Indices(rows);
    const auto split = [&](const at::Tensor& x) {  // [B,H,S,K]
      return x.index_select(0, index)
          .view({static_cast<std::int64_t>(texts.size()), length, heads, size})
          .transpose(1, 2);
    };
    at::Tensor scores =
        at::matmul(split(q), split(k).transpose(2, 3)) / std::sqrt(static_cast<double>(size));
    if (relative_bias.defined()) {
      std::vector<std::int64_t> buckets;
      for (int t = 0; t < length; ++t) {
        for (int s = 0; s < length; ++s) {
          buckets.push_back(
              model::RelativeBucket(s - t, shape.relative_buckets, shape.relative_max_distance));
        }
      }
      scores = scores + relative_bias.index_select(0, Indices(buckets))
                            .view({length, length, heads})
                            .permute({2, 0, 1});
    }
    if (shape.window >= 0) {
      at::Tensor mask = at::zeros({length, length}, at::kFloat);
      float* values = mask.data_ptr<float>();
      for (int t = 0; t < length; ++t) {
        for (int s = 0; s < length; ++s) {
          if (std::abs(s - t) > shape.window) {
            values[t * length + s] = -std::numeric_limits<float>::infinity();
          }
        }
      }
      scores = scores + mask;
    }
    const at::Tensor weights =
        Drop(at::softmax(scores, -1).contiguous(),
             {dropout.rate, dropout.seed + static_cast<std::uint64_t>(length) * 0x51ed270b});
    parts.push_back(at::matmul(weights, split(v)).transpose(1, 2).reshape({-1, heads * size}));
  }
  return at::cat(parts).index_select(0, Indices(place));
}

at::Tensor Embed(const EmbeddingTables& tables, const runtime::Batch& batch) {
  at::Tensor x = at::embedding(tables.word, Indices(Widen(batch.ids)), -1, false, tables.sparse);
  if (tables.type.defined()) {
    const std::vector<std::int64_t> types =
        batch.types.empty() ? std::vector<std::int64_t>(batch.ids.size()) : Widen(batch.types);
    x = x + at::embedding(tables.type, Indices(types));
  }
  if (tables.position.defined()) {
    x = x + at::embedding(tables.position, Indices(Positions(batch, tables.position_offset)));
  }
  return x;
}

at::Tensor PickRows(model::Rows rows, const at::Tensor& hidden, const runtime::Batch& batch,
                    std::span<const std::int64_t> masked) {
  std::vector<std::int64_t> chosen;
  std::vector<at::Tensor> pooled;
  for (int b = 0; b < batch.texts(); ++b) {
    const at::Tensor text = hidden.narrow(0, batch.begin(b), batch.length(b));
    switch (rows) {
      case model::Rows::kAll: return hidden;
      case model::Rows::kMasked: break;
      case model::Rows::kFirst: chosen.push_back(batch.begin(b)); break;
      case model::Rows::kLast: chosen.push_back(batch.begin(b + 1) - 1); break;
      case model::Rows::kMean: pooled.push_back(text.mean(0)); break;
      case model::Rows::kMax: pooled.push_back(text.amax(0)); break;
    }
  }
  if (rows == model::Rows::kMasked) chosen.assign(masked.begin(), masked.end());
  return pooled.empty() ? hidden.index_select(0, Indices(chosen)) : at::stack(pooled);
}

at::Tensor ToUnitLength(const at::Tensor& x) {
  return x / x.norm(2, -1, /*keepdim=*/true).clamp_min(1e-12);
}

}  // namespace hone::train
