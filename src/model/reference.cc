#include "model/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "model/dequantize.h"

namespace hone::model {
namespace {

using std::size_t;
using Matrix = std::vector<float>;  // row-major; the comment beside each says its shape

size_t Size(int n) {
  return static_cast<size_t>(n);
}

Matrix Widen(const tensor::TensorView& tensor) {
  Matrix out(tensor.empty() ? 0 : static_cast<size_t>(tensor.shape.elements()));
  if (!out.empty()) CopyToF32(tensor, 0, out);
  return out;
}

// x [T,K] → x·weightᵀ + bias [T,N]
Matrix Apply(const Linear& linear, const Matrix& x) {
  const size_t width = Size(linear.weight.k), rows = Size(linear.weight.n);
  HONE_CHECK(x.size() % width == 0);
  const Matrix weight = Dequantize(linear.weight), bias = Widen(linear.bias);
  Matrix y(x.size() / width * rows);
  for (size_t t = 0; t < x.size() / width; ++t) {
    for (size_t n = 0; n < rows; ++n) {
      double sum = bias.empty() ? 0 : bias[n];
      for (size_t k = 0; k < width; ++k) {
        sum += double{x[t * width + k]} * weight[n * width + k];
      }
      y[t * rows + n] = static_cast<float>(sum);
    }
  }
  return y;
}

// x [T,D] → (x - mean) / sqrt(variance + epsilon) · gain + bias, row by row
void Apply(const Norm& norm, double epsilon, Matrix& x) {
  if (norm.empty()) return;
  const Matrix gain = Widen(norm.gain), bias = Widen(norm.bias);
  const size_t width = gain.size();
  for (auto row = x.begin(); row != x.end(); row += static_cast<std::ptrdiff_t>(width)) {
    double mean = 0, variance = 0;
    for (size_t i = 0; i < width; ++i) mean += row[i];
    mean /= static_cast<double>(width);
    for (size_t i = 0; i < width; ++i) variance += (row[i] - mean) * (row[i] - mean);
    const double scale = 1 / std::sqrt(variance / static_cast<double>(width) + epsilon);
    for (size_t i = 0; i < width; ++i) {
      row[i] = static_cast<float>((row[i] - mean) * scale * gain[i] + (bias.empty() ? 0 : bias[i]));
    }
  }
}

void Apply(kernels::Activation activation, Matrix& x) {
  if (activation == kernels::Activation::kNone) return;
  for (float& value : x) value = kernels::ActivateRef(activation, value);
}

void Add(const Matrix& y, Matrix& x) {
  for (size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

// x [T,H·K]: rotates each head's pairs (i, i + K/2) of token t by t · base^(-2i/K). Su et al. 2021,
// arXiv:2104.09864, in the half-split order of transformers.
void Rotate(double base, size_t heads, size_t head_size, Matrix& x) {
  const size_t half = head_size / 2;
  for (size_t row = 0; row < x.size() / head_size; ++row) {  // (t, h)
    const size_t t = row / heads;
    for (size_t i = 0; i < half; ++i) {
      const double angle =
          static_cast<double>(t) *
          std::pow(base, -2 * static_cast<double>(i) / static_cast<double>(head_size));
      float& a = x[row * head_size + i];
      float& b = x[row * head_size + i + half];
      const double rotated_a = a * std::cos(angle) - b * std::sin(angle);
      const double rotated_b = b * std::cos(angle) + a * std::sin(angle);
      a = static_cast<float>(rotated_a);
      b = static_cast<float>(rotated_b);
    }
  }
}

// q, k, v [T,H·K] → [T,H·K]: softmax over visible s of (q_t·k_s / sqrt(K) + bias(s - t)), times v_s
Matrix Attend(const ModelConfig& config, const LayerShape& shape, const Matrix& relative_bias,
              const Matrix& q, const Matrix& k, const Matrix& v) {
  const int heads = shape.heads;
  const size_t size = Size(config.head_size), width = Size(heads) * size;
  const int tokens = static_cast<int>(q.size() / width);
  Matrix y(q.size());
  std::vector<double> score(Size(tokens)), sum(size);
  for (int h = 0; h < heads; ++h) {
    for (int t = 0; t < tokens; ++t) {
      const int from = shape.window < 0 ? 0 : std::max(0, t - shape.window);
      const int to = shape.window < 0 ? tokens : std::min(tokens, t + shape.window + 1);
      const size_t row = Size(t) * width + Size(h) * size;
      double largest = -std::numeric_limits<double>::infinity(), total = 0;
      for (int s = from; s < to; ++s) {
        double dot = 0;
        for (size_t i = 0; i < size; ++i) {
          dot += double{q[row + i]} * k[Size(s) * width + Size(h) * size + i];
        }
        dot /= std::sqrt(static_cast<double>(size));
        if (!relative_bias.empty()) {
          const int bucket =
              RelativeBucket(s - t, config.relative_buckets, config.relative_max_distance);
          dot += relative_bias[Size(bucket) * Size(heads) + Size(h)];
        }
        score[Size(s)] = dot;
        largest = std::max(largest, dot);
      }
      std::fill(sum.begin(), sum.end(), 0);
      for (int s = from; s < to; ++s) {
        const double weight = std::exp(score[Size(s)] - largest);
        total += weight;
        for (size_t i = 0; i < size; ++i) {
          sum[i] += weight * v[Size(s) * width + Size(h) * size + i];
        }
      }
      for (size_t i = 0; i < size; ++i) y[row + i] = static_cast<float>(sum[i] / total);
    }
  }
  return y;
}

// x [T,D] → [T,D]
Matrix AttentionBlock(const ModelConfig& config, const LayerShape& shape, const LayerWeights& layer,
                      const Matrix& relative_bias, const Matrix& x) {
  Matrix q = Apply(layer.query, x), k = Apply(layer.key, x);
  if (shape.rotary_base > 0) {
    Rotate(shape.rotary_base, Size(shape.heads), Size(config.head_size), q);
    Rotate(shape.rotary_base, Size(shape.heads), Size(config.head_size), k);
  }
  return Apply(layer.output, Attend(config, shape, relative_bias, q, k, Apply(layer.value, x)));
}

// x [T,D] → [T,D]
Matrix FeedForwardBlock(const ModelConfig& config, const LayerShape& shape,
                        const LayerWeights& layer, const Matrix& x) {
  Matrix up = Apply(layer.up, x);  // [T,F], or [T,2F] where gated
  if (config.gated_ffn) {
    const size_t width = Size(shape.ffn);
    Matrix gated(up.size() / 2);  // [T,F]
    for (size_t i = 0; i < gated.size(); ++i) {
      const size_t first = i / width * 2 * width + i % width;
      gated[i] = kernels::ActivateRef(config.activation, up[first]) * up[first + width];
    }
    up = std::move(gated);
  } else {
    Apply(config.activation, up);
  }
  return Apply(layer.down, up);
}

// [T,E] → [T,D]
Matrix Embed(const ModelConfig& config, const EncoderWeights& weights,
             std::span<const std::int32_t> ids, std::span<const std::int32_t> types) {
  const size_t width = Size(config.embedding_width);
  Matrix x(ids.size() * width), row(width);
  const auto add = [&](const formats::StoredMatrix& table, int index, size_t t) {
    DequantizeRow(table, index, row);
    for (size_t i = 0; i < width; ++i) x[t * width + i] += row[i];
  };
  for (size_t t = 0; t < ids.size(); ++t) {
    add(weights.word, ids[t], t);
    if (config.token_types > 0) add(weights.type, types.empty() ? 0 : types[t], t);
    if (config.learned_positions) {
      add(weights.position, static_cast<int>(t) + config.position_offset, t);
    }
  }
  Apply(weights.embeddings_norm, config.norm_epsilon, x);
  return weights.embedding_projection.weight.empty() ? x : Apply(weights.embedding_projection, x);
}

// hidden [T,D] → the rows that the output starts from [rows,D]
Matrix PickRows(Rows rows, size_t width, const Matrix& hidden, std::span<const std::int32_t> ids,
                std::int32_t mask_id) {
  const auto at = [&](size_t t) { return hidden.begin() + static_cast<std::ptrdiff_t>(t * width); };
  const size_t tokens = hidden.size() / width;
  Matrix out;
  switch (rows) {
    case Rows::kAll: return hidden;
    case Rows::kFirst: return Matrix(at(0), at(1));
    case Rows::kLast: return Matrix(at(tokens - 1), at(tokens));
    case Rows::kMasked:
      for (size_t t = 0; t < tokens; ++t) {
        if (ids[t] == mask_id) out.insert(out.end(), at(t), at(t + 1));
      }
      return out;
    case Rows::kMean:
    case Rows::kMax: break;
  }
  for (size_t i = 0; i < width; ++i) {
    double sum = 0, largest = -std::numeric_limits<double>::infinity();
    for (size_t t = 0; t < tokens; ++t) {
      sum += hidden[t * width + i];
      largest = std::max(largest, double{hidden[t * width + i]});
    }
    out.push_back(
        static_cast<float>(rows == Rows::kMean ? sum / static_cast<double>(tokens) : largest));
  }
  return out;
}

}  // namespace

std::vector<float> ReferenceForward(const ModelConfig& config, const EncoderWeights& weights,
                                    std::span<const std::int32_t> ids,
                                    std::span<const std::int32_t> types) {
  HONE_CHECK(!ids.empty() && (types.empty() || types.size() == ids.size()));
  HONE_CHECK(ids.size() <= Size(config.max_tokens));
  const bool pre = config.norm == NormPlacement::kPre;
  const Matrix relative_bias = Widen(weights.relative_bias);  // [buckets,H]
  Matrix x = Embed(config, weights, ids, types);              // [T,D]
  for (size_t l = 0; l < config.layers.size(); ++l) {
    const LayerShape& shape = config.layers[l];
    const LayerWeights& layer = weights.layers[l];
    if (shape.heads > 0) {
      Matrix in = x;
      if (pre) Apply(layer.attention_norm, config.norm_epsilon, in);
      Add(AttentionBlock(config, shape, layer, relative_bias, in), x);
    }
    if (!pre) Apply(layer.attention_norm, config.norm_epsilon, x);
    if (shape.ffn > 0) {
      Matrix in = x;
      if (pre) Apply(layer.ffn_norm, config.norm_epsilon, in);
      Add(FeedForwardBlock(config, shape, layer, in), x);
    }
    if (!pre) Apply(layer.ffn_norm, config.norm_epsilon, x);
  }
  if (pre) Apply(weights.final_norm, config.norm_epsilon, x);
  return x;
}

std::vector<float> ReferenceHead(const ModelConfig& config, const Head& head,
                                 const HeadOutput& output, std::span<const float> hidden,
                                 std::span<const std::int32_t> ids, std::int32_t mask_id) {
  Matrix x =
      PickRows(output.rows, Size(config.width), Matrix(hidden.begin(), hidden.end()), ids, mask_id);
  for (const HeadStage& stage : output.stages) {
    if (!stage.dense.weight.empty()) x = Apply(stage.dense, x);
    Apply(stage.activation, x);
    Apply(stage.norm, config.norm_epsilon, x);
  }
  if (head.normalize) {
    double squares = 0;
    for (const float value : x) squares += double{value} * value;
    // The floor is that of torch.nn.functional.normalize: a zero vector stays one.
    const double length = std::max(std::sqrt(squares), 1e-12);
    for (float& value : x) value = static_cast<float>(value / length);
  }
  return x;
}

}  // namespace hone::model
