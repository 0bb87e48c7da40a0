#include "kernels/attention/attention_bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>

#include "base/aligned_buffer.h"
#include "kernels/attention/attention.h"

namespace hone::kernels {
namespace {

double NowNs() {
  return std::chrono::duration<double, std::nano>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

AttentionTiming Time(const AttentionKernel& kernel, int heads, int head_size, int tokens,
                     double seconds) {
  const int width = heads * head_size;
  std::vector<float> qkv(static_cast<std::size_t>(tokens * 3 * width));
  std::vector<float> out(static_cast<std::size_t>(tokens * width));
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (float& v : qkv) v = normal(random);
  base::AlignedBuffer prepared(kernel.prepared_bytes(tokens, head_size) + 64);
  base::AlignedBuffer scratch(kernel.scratch_bytes(tokens, head_size) + 64);
  AttentionArgs args;
  args.stride = 3 * width;
  args.out_stride = width;
  args.tokens = tokens;
  args.head_size = head_size;
  args.scale = 1 / std::sqrt(static_cast<float>(head_size));

  AttentionTiming timing{std::string(kernel.name), heads, head_size, tokens, 1e18, 0};
  const double end = NowNs() + seconds * 1e9;
  do {
    const double start = NowNs();
    for (int h = 0; h < heads; ++h) {
      args.q = qkv.data() + h * head_size;
      args.k = args.q + width;
      args.v = args.k + width;
      args.out = out.data() + h * head_size;
      kernel.prepare(args, prepared.data());
      kernel.attend(args, prepared.data(), 0, tokens, scratch.data());
    }
    timing.ns = std::min(timing.ns, NowNs() - start);
  } while (NowNs() < end);
  timing.gflops = 4.0 * heads * tokens * tokens * head_size / timing.ns;
  return timing;
}

}  // namespace

std::vector<AttentionTiming> BenchAttention(double seconds, base::Isa limit) {
  std::vector<AttentionTiming> timings;
  for (const AttentionKernel& kernel : AttentionKernels()) {
    if (!base::IsaUsable(limit, kernel.isa)) continue;
    for (const int head_size : {32, 64}) {
      for (const int tokens : {16, 128, 384}) {
        timings.push_back(Time(kernel, 12, head_size, tokens, seconds));
      }
    }
  }
  return timings;
}

}  // namespace hone::kernels
