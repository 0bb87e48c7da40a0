// The operations of the training graph, each differentiable once. Ragged: row t of a [T,…] tensor
// is token t of the batch, whichever text it belongs to.
//
// Tensors are f32 and contiguous; gain, bias and the like may be undefined (absent). Only src/train
// includes this.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/activation.h"
#include "model/config.h"
#include "model/head.h"
#include "runtime/batch.h"

namespace hone::train {

// Sets values to zero with probability `rate` and divides the others by 1 - rate. Which ones depends
// on seed and position alone.
struct Dropout {
  float rate = 0;
  std::uint64_t seed = 0;
};

// x [T,K] · weight [N,K]ᵀ + bias [N] → [T,N]
at::Tensor Linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// Element by element.
at::Tensor Activate(kernels::Activation activation, const at::Tensor& x);
// x [T,2F] → activate(x[:, :F]) · x[:, F:]
at::Tensor ActivateGate(kernels::Activation activation, const at::Tensor& x);

at::Tensor Drop(const at::Tensor& x, const Dropout& dropout);
// x + drop(y)
at::Tensor AddDropped(const at::Tensor& x, const at::Tensor& y, const Dropout& dropout);
// Layer normalisation over the last axis; x itself where there is no gain.
at::Tensor Normalise(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& bias,
                     float epsilon);
// normalise(x + drop(y)); y may be undefined: then normalise(x).
at::Tensor AddNormalise(const at::Tensor& x, const at::Tensor& y, const Dropout& dropout,
                        const at::Tensor& gain, const at::Tensor& bias, float epsilon);

// x [T,H·K]: each head's pairs (i, i + K/2) turned by t · base^(-2i/K), t counted in its text.
at::Tensor Rotate(const at::Tensor& x, const runtime::Batch& batch, int head_size, float base);

struct AttentionShape {
  int heads = 0, head_size = 0;
  int window = -1;           // visible |s - t| ≤ window; -1: all
  int relative_buckets = 0;  // of relative_bias [buckets,H]
  int relative_max_distance = 0;
};

// softmax over the text's visible tokens of (q_t·k_s / √K + relative_bias), dropped, times v_s.
// q, k, v [T,H·K] → [T,H·K]
at::Tensor Attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                  const at::Tensor& relative_bias, const AttentionShape& shape,
                  const runtime::Batch& batch, const Dropout& dropout);

// Σ of the tables' rows, one a token: word[id] + position[p + position_offset] + type[type]; absent
// tables are undefined. sparse: the word table's gradient has only the rows of this batch.
struct EmbeddingTables {
  at::Tensor word, position, type;
  int position_offset = 0;
  bool sparse = false;
};
at::Tensor Embed(const EmbeddingTables& tables, const runtime::Batch& batch);

// hidden [T,D] → the rows that a head's output starts from, in text order. `masked` are the tokens
// of Rows::kMasked.
at::Tensor PickRows(model::Rows rows, const at::Tensor& hidden, const runtime::Batch& batch,
                    std::span<const std::int64_t> masked);

// Every row to unit length; a zero row stays one.
at::Tensor ToUnitLength(const at::Tensor& x);

}  // namespace hone::train
