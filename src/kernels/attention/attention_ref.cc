// Attention as plain loops in double: specification and portable fallback.
#include <algorithm>
#include <cmath>

#include "kernels/attention/attention.h"

namespace hone::kernels {
namespace {

std::size_t ScratchBytes(int tokens, int) {
  return static_cast<std::size_t>(tokens) * sizeof(double);
}

std::size_t PreparedBytes(int, int) {
  return 0;
}

void Prepare(const AttentionArgs&, std::byte*) {}

double Score(const AttentionArgs& a, int t, int s) {
  double sum = 0;
  for (int i = 0; i < a.head_size; ++i) {
    sum += static_cast<double>(a.q[t * a.stride + i]) * a.k[s * a.stride + i];
  }
  return a.scale * sum + (a.relative_bias == nullptr ? 0.0f : a.relative_bias[s - t]);
}

void Attend(const AttentionArgs& a, const std::byte*, int query_begin, int query_end,
            std::byte* scratch) {
  auto* p = reinterpret_cast<double*>(scratch);
  for (int t = query_begin; t < query_end; ++t) {
    const int begin = a.window < 0 ? 0 : std::max(0, t - a.window);
    const int end = a.window < 0 || a.window >= a.tokens - t ? a.tokens : t + a.window + 1;
    double largest = -HUGE_VAL, total = 0;
    for (int s = begin; s < end; ++s) {
      p[s] = Score(a, t, s);
      largest = std::max(largest, p[s]);
    }
    for (int s = begin; s < end; ++s) total += p[s] = std::exp(p[s] - largest);
    for (int i = 0; i < a.head_size; ++i) {
      double sum = 0;
      for (int s = begin; s < end; ++s) sum += p[s] * a.v[s * a.stride + i];
      a.out[t * a.out_stride + i] = static_cast<float>(sum / total);
    }
  }
}

}  // namespace

extern constinit const AttentionKernel kAttentionRef = {
    "attention_ref", base::Isa::kPortable, AttentionPrecision::kF32,
    ScratchBytes,    PreparedBytes,        Prepare,
    Attend};

}  // namespace hone::kernels
