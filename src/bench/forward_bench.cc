#include "bench/forward_bench.h"

#include <algorithm>
#include <random>

#include "base/check.h"
#include "bench/statistics.h"
#include "env/clock.h"

namespace hone::bench {
namespace {

// The tokens of one batch, and room for what comes out.
struct Case {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> begins = {0};
  std::vector<float> hidden;
  std::vector<std::vector<float>> outputs;

  runtime::Batch batch() const { return {.ids = ids, .types = {}, .begins = begins}; }
};

Case MakeCase(std::span<const int> lengths, int vocabulary, int width, int outputs,
              std::mt19937& random) {
  Case c;
  std::uniform_int_distribution<std::int32_t> id(0, vocabulary - 1);
  for (const int length : lengths) {
    for (int i = 0; i < length; ++i) c.ids.push_back(id(random));
    c.begins.push_back(static_cast<std::int32_t>(c.ids.size()));
  }
  c.hidden.resize(c.ids.size() * static_cast<std::size_t>(width));
  c.outputs.resize(static_cast<std::size_t>(outputs));
  return c;
}

void Pass(runtime::LocalEngine& engine, Case& c) {
  engine.Forward(engine.all_layers(), c.batch(), c.hidden);
  for (std::size_t i = 0; i < c.outputs.size(); ++i) {
    engine.ApplyHead(static_cast<int>(i), c.batch(), c.hidden, -1, &c.outputs[i]);
  }
}

}  // namespace

Timing BenchForward(runtime::LocalEngine& engine, int head_outputs, int vocabulary,
                    std::span<const std::vector<int>> batches, const Effort& effort) {
  HONE_CHECK(!batches.empty());
  std::mt19937 random(1);
  std::vector<Case> cases;
  double tokens = 0;
  for (const std::vector<int>& lengths : batches) {
    cases.push_back(MakeCase(lengths, vocabulary, engine.width(), head_outputs, random));
    tokens += static_cast<double>(cases.back().ids.size());
  }
  for (Case& c : cases) Pass(engine, c);

  std::vector<double> times;
  const std::int64_t begin = env::NowNs();
  for (std::size_t i = 0;; ++i) {
    const bool enough = effort.reps > 0
                            ? static_cast<int>(times.size()) >= effort.reps
                            : times.size() >= 5 && env::MsSince(begin) > effort.seconds * 1e3;
    if (enough) break;
    const std::int64_t start = env::NowNs();
    Pass(engine, cases[i % cases.size()]);
    times.push_back(env::MsSince(start));
  }
  Timing timing;
  timing.reps = static_cast<int>(times.size());
  timing.p50_ms = Percentile(times, 0.50);
  timing.p95_ms = Percentile(times, 0.95);
  timing.p99_ms = Percentile(times, 0.99);
  timing.mean_tokens = tokens / static_cast<double>(cases.size());
  timing.tokens_per_s = timing.mean_tokens / (timing.p50_ms * 1e-3);
  return timing;
}

}  // namespace hone::bench
