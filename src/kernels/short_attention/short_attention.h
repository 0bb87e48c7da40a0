// Attention of one short text for training, with what its gradients need:
//
//   P[h] = softmax(scale · Q[h] K[h]ᵀ)      out[h] = (P[h] ∘ keep[h]) V[h]
//
// A text of a few dozen tokens is too small for matrix products: libtorch's take longer to begin than
// to compute. Each product here is a loop over rows that stay in L1.
//
// Shapes    q, k, v, out and their gradients [T, H·S] f32; P, keep [H,T,T]; keep may be null (ones)
// Aliasing  none.      Scratch  [T] on the stack: T ≤ kShortAttentionTokens
// Threads   one call a text; texts are independent
// Numerics  f32; the same bits for a text in any batch
// Cost      2·T²·H·S multiply-adds forward, 4 backward
#pragma once

namespace hone::kernels {

// Beyond this, matrix products win: MiniLM's shape, forward and backward, one thread.
inline constexpr int kShortAttentionTokens = 64;

struct ShortAttentionShape {
  int tokens, heads, head_size;
  float scale;
};

void ShortAttention(const ShortAttentionShape& shape, const float* q, const float* k,
                    const float* v, const float* keep, float* probabilities, float* out);

// Writes the gradients of q, k and v from that of out.
void ShortAttentionGradient(const ShortAttentionShape& shape, const float* q, const float* k,
                            const float* v, const float* keep, const float* probabilities,
                            const float* d_out, float* d_q, float* d_k, float* d_v);

}  // namespace hone::kernels
