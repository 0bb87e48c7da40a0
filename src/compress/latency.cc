#include "compress/latency.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "bench/statistics.h"
#include "env/clock.h"

namespace hone::compress {
namespace {

// Passes of a window: short enough to fall between two disturbances, long enough to span the lengths.
constexpr std::size_t kWindow = 16;
constexpr std::size_t kLeastWindows = 6;
constexpr std::size_t kMostWindows = 4096;

struct Window {
  std::vector<std::vector<double>> times;  // [model][pass]
};

double Sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

// Windows in the order of how quiet they were: the sum over models of their time relative to that
// model's best window.
std::vector<std::size_t> ByQuiet(const std::vector<Window>& windows, std::size_t models) {
  std::vector<double> noise(windows.size(), 0.0);
  for (std::size_t m = 0; m < models; ++m) {
    double best = Sum(windows.front().times[m]);
    for (const Window& window : windows) best = std::min(best, Sum(window.times[m]));
    for (std::size_t w = 0; w < windows.size(); ++w) {
      noise[w] += Sum(windows[w].times[m]) / std::max(best, 1e-9);
    }
  }
  std::vector<std::size_t> order(windows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t w) { return noise[w]; });
  return order;
}

}  // namespace

std::vector<LatencyFigures> MeasureInTurn(std::span<bench::ForwardPasses* const> models,
                                          double seconds) {
  HONE_CHECK(!models.empty());
  const std::size_t batches = models.front()->batches();
  for (bench::ForwardPasses* model : models) {
    HONE_CHECK(model->batches() == batches);
    for (std::size_t b = 0; b < batches; ++b) model->Run(b);
  }
  // Batches are in the order of length: a window takes every stride-th, so each spans all lengths.
  const std::size_t passes = std::min(kWindow, batches);
  const std::size_t stride = (batches + passes - 1) / passes;
  std::vector<Window> windows;
  const std::int64_t start = env::NowNs();
  while (windows.size() < kMostWindows &&
         (windows.size() < kLeastWindows || env::MsSince(start) < seconds * 1e3)) {
    Window& window = windows.emplace_back();
    window.times.resize(models.size());
    for (std::size_t p = 0; p < passes; ++p) {
      const std::size_t b = std::min(p * stride + (windows.size() - 1) % stride, batches - 1);
      for (std::size_t m = 0; m < models.size(); ++m) {
        window.times[m].push_back(models[m]->Run(b));
      }
    }
  }
  const std::vector<std::size_t> order = ByQuiet(windows, models.size());
  // Of the quietest windows, as many of each offset as there are, so that all lengths count alike.
  const std::size_t kept = std::max<std::size_t>((windows.size() + 2) / 3, 2);
  const std::size_t each = std::max<std::size_t>(kept / stride, 1);
  std::vector<std::size_t> taken(stride, 0);
  std::vector<std::vector<double>> times(models.size());
  for (const std::size_t w : order) {
    if (taken[w % stride]++ >= each) continue;
    for (std::size_t m = 0; m < models.size(); ++m) {
      times[m].insert(times[m].end(), windows[w].times[m].begin(), windows[w].times[m].end());
    }
  }
  std::vector<LatencyFigures> figures;
  for (const std::vector<double>& of_model : times) {
    figures.push_back({bench::Percentile(of_model, 0.50), bench::Percentile(of_model, 0.95),
                       bench::Percentile(of_model, 0.99)});
  }
  return figures;
}

std::vector<std::vector<int>> RepresentativeBatches(std::vector<int> lengths, int batch,
                                                    std::size_t most) {
  HONE_CHECK(!lengths.empty() && batch >= 1 && most >= 1);
  std::vector<std::vector<int>> batches;
  const auto size = static_cast<std::size_t>(batch);
  for (std::size_t begin = 0; begin + size <= lengths.size() || begin == 0; begin += size) {
    std::vector<int>& texts = batches.emplace_back();
    // A file shorter than a batch is used again from its beginning.
    for (std::size_t i = 0; i < size; ++i) texts.push_back(lengths[(begin + i) % lengths.size()]);
  }
  const auto tokens = [](const std::vector<int>& texts) {
    return std::accumulate(texts.begin(), texts.end(), std::int64_t{0});
  };
  std::ranges::stable_sort(batches, {}, tokens);
  if (batches.size() <= most) return batches;
  std::vector<std::vector<int>> thinned;
  for (std::size_t i = 0; i < most; ++i) {
    thinned.push_back(batches[(2 * i + 1) * batches.size() / (2 * most)]);
  }
  return thinned;
}

std::vector<int> MiddleLengths(std::vector<int> lengths) {
  HONE_CHECK(!lengths.empty());
  std::ranges::sort(lengths);
  std::vector<int> middle;
  for (const double quantile : {0.40, 0.45, 0.50, 0.55, 0.60}) {
    middle.push_back(
        lengths[static_cast<std::size_t>(quantile * static_cast<double>(lengths.size() - 1))]);
  }
  // Equal lengths need be timed once.
  if (middle.front() == middle.back()) middle.resize(1);
  return middle;
}

}  // namespace hone::compress
