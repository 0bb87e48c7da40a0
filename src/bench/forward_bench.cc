#include "bench/forward_bench.h"

#include <algorithm>
#include <random>

#include "base/check.h"
#include "base/percentile.h"
#include "env/clock.h"

namespace hone::bench {
ForwardPasses::ForwardPasses(runtime::LocalEngine& engine, int head_outputs, int vocabulary,
                             std::span<const std::vector<int>> batches)
    : engine_(engine) {
  HONE_CHECK(!batches.empty());
  std::mt19937 random(1);
  std::uniform_int_distribution<std::int32_t> id(0, vocabulary - 1);
  for (const std::vector<int>& lengths : batches) {
    Case& c = cases_.emplace_back();
    for (const int length : lengths) {
      for (int i = 0; i < length; ++i) c.ids.push_back(id(random));
      c.begins.push_back(static_cast<std::int32_t>(c.ids.size()));
    }
    c.hidden.resize(c.ids.size() * static_cast<std::size_t>(engine.width()));
    c.outputs.resize(static_cast<std::size_t>(head_outputs));
  }
}

double ForwardPasses::mean_tokens() const {
  double tokens = 0;
  for (const Case& c : cases_) tokens += static_cast<double>(c.ids.size());
  return tokens / static_cast<double>(cases_.size());
}

double ForwardPasses::Run(std::size_t batch) {
  Case& c = cases_[batch];
  const runtime::Batch tokens{.ids = c.ids, .types = {}, .begins = c.begins};
  const std::int64_t start = env::NowNs();
  engine_.Forward(engine_.all_layers(), tokens, c.hidden);
  for (std::size_t i = 0; i < c.outputs.size(); ++i) {
    engine_.ApplyHead(static_cast<int>(i), tokens, c.hidden, -1, &c.outputs[i]);
  }
  return env::MsSince(start);
}

Timing BenchForward(runtime::LocalEngine& engine, int head_outputs, int vocabulary,
                    std::span<const std::vector<int>> batches, const Effort& effort) {
  ForwardPasses passes(engine, head_outputs, vocabulary, batches);
  for (std::size_t i = 0; i < passes.batches(); ++i) passes.Run(i);

  std::vector<double> times;
  const std::int64_t begin = env::NowNs();
  for (std::size_t i = 0;; ++i) {
    const bool enough = effort.reps > 0
                            ? static_cast<int>(times.size()) >= effort.reps
                            : times.size() >= 5 && !(env::MsSince(begin) <= effort.seconds * 1e3);
    if (enough) break;
    times.push_back(passes.Run(i % passes.batches()));
  }
  Timing timing;
  timing.reps = static_cast<int>(times.size());
  timing.p50_ms = base::Percentile(times, 0.50);
  timing.p95_ms = base::Percentile(times, 0.95);
  timing.p99_ms = base::Percentile(times, 0.99);
  timing.mean_tokens = passes.mean_tokens();
  timing.tokens_per_s = timing.mean_tokens / (timing.p50_ms * 1e-3);
  return timing;
}

}  // namespace hone::bench
