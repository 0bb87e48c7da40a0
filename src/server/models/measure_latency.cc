#include "server/models/measure_latency.h"

#include <algorithm>
#include <vector>

#include "base/time_ns.h"
#include "bench/forward_bench.h"
#include "env/clock.h"

namespace hone::server {
namespace {

constexpr int kShortest = 8;
constexpr int kMostTexts = 32;
// A pass of this time is far longer than a timer's or a wake-up's noise: two of it are enough.
constexpr double kLongMs = 3;

std::vector<int> Doubling(int first, int last) {
  std::vector<int> values;
  for (int value = std::min(first, last); value < last; value *= 2) values.push_back(value);
  values.push_back(last);
  return values;
}

// A thread that measures alone may run on what others leave, for a thirtieth of the time: its own time is what its
// passes take. Of several threads only the wall knows.
class Clock {
 public:
  explicit Clock(int threads) : now_(threads == 1 ? env::ThreadNs : env::NowNs) {}
  double MsSince(std::int64_t start) const {
    return static_cast<double>(now_() - start) / base::kMillisecondNs;
  }
  std::int64_t Now() const { return now_(); }

 private:
  std::int64_t (*const now_)();
};

double TimeCell(runtime::LocalEngine& engine, const MeasureLimits& limits, int length, int texts) {
  const std::vector<std::vector<int>> batch = {
      std::vector<int>(static_cast<std::size_t>(texts), length)};
  bench::ForwardPasses passes(engine, limits.outputs, limits.vocabulary, batch);
  const Clock clock(engine.threads());
  const auto pass = [&] {
    const std::int64_t start = clock.Now();
    passes.Run(0);
    return clock.MsSince(start);
  };
  std::vector<double> ms = {pass(), pass()};
  if (ms[1] > kLongMs) return std::min(ms[0], ms[1]);
  ms.push_back(pass());
  std::ranges::sort(ms);
  return ms[1];
}

}  // namespace

planner::LatencyGrid MeasureLatency(runtime::LocalEngine& engine, const MeasureLimits& limits) {
  const Clock clock(engine.threads());
  const std::int64_t start = clock.Now();
  planner::LatencyGrid grid;
  grid.lengths = Doubling(kShortest, limits.max_tokens);
  grid.texts = Doubling(1, std::clamp(limits.max_texts, 1, kMostTexts));
  const std::size_t columns = grid.texts.size();
  grid.ms.assign(grid.lengths.size() * columns, 0);
  const auto cell = [&](std::size_t l, std::size_t b) -> double& {
    return grid.ms[l * columns + b];
  };
  // From the nearest cell of fewer texts, or of a shorter length: in proportion to the tokens.
  const auto from_smaller = [&](std::size_t l, std::size_t b) {
    if (b > 0) return cell(l, b - 1) * grid.texts[b] / grid.texts[b - 1];
    return l > 0 ? cell(l - 1, b) * grid.lengths[l] / grid.lengths[l - 1] : 0.0;
  };
  // Diagonal by diagonal, the small batches first: they are what most requests are, and the cells
  // that larger ones are judged by.
  const std::size_t rows = grid.lengths.size();
  for (std::size_t sum = 0; sum <= rows + columns - 2; ++sum) {
    for (std::size_t b = 0; b < columns && b <= sum; ++b) {
      const std::size_t l = sum - b;
      if (l >= rows) continue;
      const double expected = from_smaller(l, b);
      const bool fits =
          grid.lengths[l] * grid.texts[b] <= std::max(limits.batch_tokens, grid.lengths[l]);
      const bool affordable = clock.MsSince(start) + 3 * expected <= limits.budget_ms;
      cell(l, b) = sum == 0 || (fits && affordable)
                       ? TimeCell(engine, limits, grid.lengths[l], grid.texts[b])
                       : expected;
    }
  }
  return grid;
}

}  // namespace hone::server
