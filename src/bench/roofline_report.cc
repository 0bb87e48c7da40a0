#include "bench/roofline_report.h"

#include <iterator>

#include "base/strings.h"
#include "kernels/attention/attention_bench.h"
#include "kernels/matmul/matmul.h"
#include "kernels/matmul/matmul_bench.h"
#include "kernels/roofline/roofline.h"

namespace hone::bench {

std::vector<Limit> MeasureRoofline(int threads, base::Isa isa) {
  std::vector<Limit> limits;
  for (const kernels::PeakLoop& loop : kernels::PeakLoops()) {
    if (!base::IsaUsable(isa, loop.isa)) continue;
    limits.push_back({base::StrCat(quant::NameOf(loop.format), " ", loop.instruction), 1,
                      kernels::MeasurePeak(loop) * 1e-9, "Gop/s", 0});
  }
  limits.push_back({"DRAM read", 1, kernels::MeasureReadBandwidth(1) * 1e-9, "GB/s", 0});
  if (threads > 1) {
    limits.push_back(
        {"DRAM read", threads, kernels::MeasureReadBandwidth(threads) * 1e-9, "GB/s", 0});
  }
  return limits;
}

std::vector<Limit> MeasureKernels(int threads, base::Isa isa, const MeasureProgress& progress) {
  constexpr double kSeconds = 0.05;
  std::vector<Limit> limits;
  constexpr int kRows[] = {16, 64, 128, 384};
  std::int64_t done = 0;
  for (const int m : kRows) {
    for (const kernels::MatMulTiming& timing : kernels::BenchMatMul(
             "", kernels::EncoderShapes(m), threads, kernels::Activation::kNone, kSeconds, isa)) {
      limits.push_back({base::StrCat(timing.kernel, " ", timing.shape.m, "x", timing.shape.n, "x",
                                     timing.shape.k),
                        timing.threads, timing.gops, "Gop/s", timing.share});
    }
    if (progress) progress(++done, static_cast<std::int64_t>(std::size(kRows)));
  }
  for (const kernels::AttentionTiming& timing : kernels::BenchAttention(kSeconds, isa)) {
    limits.push_back({base::StrCat(timing.kernel, " attention ", timing.heads, "x",
                                   timing.head_size, " ", timing.tokens, " tokens"),
                      1, timing.gflops, "Gop/s", 0});
  }
  return limits;
}

double PeakFlops(quant::Format format, base::Isa isa) {
  return kernels::MeasurePeak(kernels::SelectMatMul(format, isa).instruction);
}

}  // namespace hone::bench
