#include "bench/forward_bench.h"

#include <algorithm>
#include <random>

#include "base/check.h"
#include "base/percentile.h"
#include "env/clock.h"

namespace hone::bench {
namespace {

// Batches that are run before the timed ones: threads are awake and caches full after fewer, and a
// file of a million lines still begins at once.
constexpr std::size_t kMostWarmUps = 8;
constexpr std::int64_t kBetweenNs = 100'000'000;  // reports of progress: nothing beside the passes

// The first few batches and the largest, at which the engine's memory stops growing.
int WarmUp(ForwardPasses& passes) {
  const std::size_t first = std::min(passes.batches(), kMostWarmUps);
  std::size_t largest = 0;
  for (std::size_t i = 1; i < passes.batches(); ++i) {
    if (passes.tokens(i) > passes.tokens(largest)) largest = i;
  }
  for (std::size_t i = 0; i < first; ++i) passes.Run(i);
  if (largest >= first) passes.Run(largest);
  return static_cast<int>(first) + (largest >= first ? 1 : 0);
}

}  // namespace

ForwardPasses::ForwardPasses(runtime::LocalEngine& engine, int head_outputs, int vocabulary,
                             std::span<const std::vector<int>> batches)
    : engine_(engine), outputs_(static_cast<std::size_t>(head_outputs)) {
  HONE_CHECK(!batches.empty());
  std::mt19937 random(1);
  std::uniform_int_distribution<std::int32_t> id(0, vocabulary - 1);
  std::size_t most_tokens = 0;
  for (const std::vector<int>& lengths : batches) {
    Case& c = cases_.emplace_back();
    for (const int length : lengths) {
      for (int i = 0; i < length; ++i) c.ids.push_back(id(random));
      c.begins.push_back(static_cast<std::int32_t>(c.ids.size()));
    }
    most_tokens = std::max(most_tokens, c.ids.size());
  }
  hidden_.resize(most_tokens * static_cast<std::size_t>(engine.width()));
}

double ForwardPasses::Run(std::size_t batch) {
  const Case& c = cases_[batch];
  const runtime::Batch tokens{.ids = c.ids, .types = {}, .begins = c.begins};
  const std::span<float> hidden =
      std::span(hidden_).first(c.ids.size() * static_cast<std::size_t>(engine_.width()));
  const std::int64_t start = env::NowNs();
  engine_.Forward(engine_.all_layers(), tokens, hidden);
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    engine_.ApplyHead(static_cast<int>(i), tokens, hidden, -1, &outputs_[i]);
  }
  return env::MsSince(start);
}

Timing BenchForward(runtime::LocalEngine& engine, int head_outputs, int vocabulary,
                    std::span<const std::vector<int>> batches, const Effort& effort,
                    const std::function<void(double)>& progress) {
  ForwardPasses passes(engine, head_outputs, vocabulary, batches);
  Timing timing;
  timing.warm_ups = WarmUp(passes);

  std::vector<double> times;
  double tokens = 0;
  const std::int64_t begin = env::NowNs();
  for (std::int64_t reported = begin;;) {
    const std::int64_t now = env::NowNs();
    const double passed_s = static_cast<double>(now - begin) * 1e-9;
    const bool enough = effort.reps > 0 ? static_cast<int>(times.size()) >= effort.reps
                                        : times.size() >= 5 && !(passed_s <= effort.seconds);
    if (enough) break;
    if (progress && now - reported >= kBetweenNs) {
      reported = now;
      progress(effort.reps > 0 ? static_cast<double>(times.size()) / effort.reps
                               : std::min(1.0, passed_s / effort.seconds));
    }
    const std::size_t batch = times.size() % passes.batches();
    times.push_back(passes.Run(batch));
    tokens += static_cast<double>(passes.tokens(batch));
  }
  timing.reps = static_cast<int>(times.size());
  timing.p50_ms = base::Percentile(times, 0.50);
  timing.p95_ms = base::Percentile(times, 0.95);
  timing.p99_ms = base::Percentile(times, 0.99);
  timing.mean_tokens = tokens / static_cast<double>(times.size());
  timing.tokens_per_s = timing.mean_tokens / (timing.p50_ms * 1e-3);
  return timing;
}

}  // namespace hone::bench
