#include "compress/latency/latency.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "base/percentile.h"
#include "env/clock.h"

namespace hone::compress {
namespace {

constexpr std::size_t kLeastTurns = 6;  // of each batch
constexpr std::size_t kMostTurns = 2000;
constexpr double kLeastWarmMs = 1;

// The quietest third of a batch's turns.
std::vector<Turn> Quiet(std::vector<Turn> turns) {
  Turn best = turns.front();
  for (const Turn& turn : turns) {
    for (std::size_t m = 0; m < best.size(); ++m) best[m] = std::min(best[m], turn[m]);
  }
  const auto noise = [&](const Turn& turn) {
    double sum = 0;
    for (std::size_t m = 0; m < best.size(); ++m) sum += turn[m] / std::max(best[m], 1e-9);
    return sum;
  };
  std::ranges::stable_sort(turns, {}, noise);
  turns.resize((turns.size() + 2) / 3);
  return turns;
}

}  // namespace

std::vector<LatencyFigures> FiguresOf(const std::vector<std::vector<Turn>>& turns) {
  HONE_CHECK(!turns.empty() && !turns.front().empty());
  const std::size_t models = turns.front().front().size();
  std::vector<std::vector<double>> quiet(models), all(models);
  const auto collect = [&](const std::vector<Turn>& from, std::vector<std::vector<double>>* to) {
    for (const Turn& turn : from) {
      HONE_CHECK(turn.size() == models);
      for (std::size_t m = 0; m < models; ++m) (*to)[m].push_back(turn[m]);
    }
  };
  for (const std::vector<Turn>& of_batch : turns) {
    HONE_CHECK(of_batch.size() == turns.front().size());
    collect(of_batch, &all);
    collect(Quiet(of_batch), &quiet);
  }
  std::vector<LatencyFigures> figures;
  for (std::size_t m = 0; m < models; ++m) {
    figures.push_back({base::MiddleMean(quiet[m]), base::Percentile(all[m], 0.95),
                       base::Percentile(all[m], 0.99)});
  }
  return figures;
}

std::vector<LatencyFigures> MeasureInTurn(std::span<bench::ForwardPasses* const> models,
                                          double seconds) {
  HONE_CHECK(!models.empty());
  const std::size_t batches = models.front()->batches();
  for (bench::ForwardPasses* model : models) {
    HONE_CHECK(model->batches() == batches);
    for (std::size_t b = 0; b < batches; ++b) model->Run(b);
  }
  std::vector<std::vector<Turn>> turns(batches);
  const std::int64_t start = env::NowNs();
  // Whole sweeps over the batches, so that every length counts alike.
  while (turns[0].size() < kMostTurns &&
         (turns[0].size() < kLeastTurns || env::MsSince(start) < seconds * 1e3)) {
    for (std::size_t b = 0; b < batches; ++b) {
      Turn& turn = turns[b].emplace_back();
      for (bench::ForwardPasses* model : models) {
        // In use nobody else is between two passes.
        for (double warm_ms = 0; warm_ms < kLeastWarmMs;) warm_ms += model->Run(b);
        turn.push_back(model->Run(b));
      }
    }
  }
  return FiguresOf(turns);
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
