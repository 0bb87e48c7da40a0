// Scaled dot-product attention of one head over one sequence, without storing the score matrix:
//
//   out[t,:] = Σ_s softmax_s( scale · q[t]·k[s] + bias[s - t] ) · v[s,:]      over visible s
//
// Shapes    q, k, v [T,K] f32, row r at r·stride (they may be columns of one fused QKV matrix) ·
//           out [T,K] f32, row r at r·out_stride
// Visible   all s, or |s - t| ≤ window where window >= 0 (ModernBERT's local layers)
// Bias      relative_bias[s - t] for s - t in -(T-1) … T-1 (the pointer is to the centre), or null
// Numerics  scores, maximum, exponentials and sums in f32; a kernel of lower precision says so in
//           its list entry. A query's result depends on its sequence alone, never on the tile it
//           falls into.
// Scratch   one thread's, 64-byte aligned, scratch_bytes(tokens, head_size) bytes; tiles stay in L2
// Threads   any split of queries [query_begin, query_end)
// Errors    none at run time
// Source    Milakov, Gimelshein 2018, arXiv:1805.02867 (online softmax); Dao et al. 2022,
//           arXiv:2205.14135
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

#include "base/isa.h"

namespace hone::kernels {

struct AttentionArgs {
  const float* q = nullptr;
  const float* k = nullptr;
  const float* v = nullptr;
  std::ptrdiff_t stride = 0;
  float* out = nullptr;
  std::ptrdiff_t out_stride = 0;
  int tokens = 0;
  int head_size = 0;
  float scale = 1;
  int window = -1;
  const float* relative_bias = nullptr;
};

// Of the products, highest first; sums in f32 or int32.
enum class AttentionPrecision {
  kF32,
  k16Bit,  // of roundings of the probabilities and v to 16 bits, of q and k to 16 or 8
  k8Bit,   // of roundings of q, k, the probabilities and v to 8 bits, 7 where sums want it
};

struct AttentionKernel {
  std::string_view name;
  base::Isa isa;
  AttentionPrecision precision;
  std::size_t (*scratch_bytes)(int tokens, int head_size);
  // Lays out k and v of this head for the kernel once; every query range of the head then shares
  // it. prepared: 64-byte aligned, prepared_bytes(tokens, head_size) bytes.
  std::size_t (*prepared_bytes)(int tokens, int head_size);
  void (*prepare)(const AttentionArgs& args, std::byte* prepared);
  void (*attend)(const AttentionArgs& args, const std::byte* prepared, int query_begin,
                 int query_end, std::byte* scratch);
  int max_head_size = std::numeric_limits<int>::max();  // the widest head it takes
};

// Every implementation, best first, reference last.
std::span<const AttentionKernel> AttentionKernels();

// The first usable under `limit` that takes heads of this size and whose precision is no lower than
// asked for.
const AttentionKernel& SelectAttention(AttentionPrecision precision, base::Isa limit,
                                       int head_size);

}  // namespace hone::kernels
