#include "server/dispatch/served_model.h"

#include <algorithm>
#include <cmath>

namespace hone::server {

void RatioWindow::Add(double ratio) {
  ratios_[count_++ % kSize] = static_cast<float>(ratio);
}

double RatioWindow::Percentile95(double fallback) const {
  const std::size_t size = std::min(count_, kSize);
  // Fewer tell nothing of the twentieth part.
  constexpr std::size_t kEnough = 20;
  if (size < kEnough) return fallback;
  std::array<float, kSize> sorted = ratios_;
  const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(size * 95 / 100);
  std::nth_element(sorted.begin(), at, sorted.begin() + static_cast<std::ptrdiff_t>(size));
  return *at;
}

void Demand::Asked(int request_texts, int request_tokens, base::TimeNs deadline_span) {
  ++requests;
  texts += request_texts;
  tokens += request_tokens;
  deadlines[deadline_count++ % deadlines.size()] = deadline_span;
}

void Demand::Look(double seconds) {
  // Half of the mean is the last second's: a change of load shows in two or three seconds, one
  // second's burst alone moves it halfway.
  constexpr double kKeep = 0.5;
  const double n = static_cast<double>(requests);
  rate_per_s = kKeep * rate_per_s + (1 - kKeep) * n / seconds;
  if (requests > 0) {
    const double keep = texts_mean == 0 ? 0 : kKeep;
    texts_mean = keep * texts_mean + (1 - keep) * static_cast<double>(texts) / n;
    tokens_mean = keep * tokens_mean + (1 - keep) * static_cast<double>(tokens) / n;
  }
  requests = texts = tokens = 0;
}

base::TimeNs Demand::TightestTenth() const {
  const std::size_t size = std::min(deadline_count, deadlines.size());
  if (size == 0) return 0;
  auto sorted = deadlines;
  const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(size / 10);
  std::nth_element(sorted.begin(), at, sorted.begin() + static_cast<std::ptrdiff_t>(size));
  return *at;
}

bool ServedModel::any_resident() const {
  return std::ranges::any_of(rungs, [](const ServedRung& rung) { return rung.resident(); });
}

std::optional<planner::TableFile> ServedModel::Learnt() const {
  constexpr double kWorthKeeping = 0.03;
  if (content.empty()) return std::nullopt;
  planner::TableFile file = measured;
  bool changed = false;
  for (std::size_t r = 0; r < rungs.size(); ++r) {
    for (std::size_t w = 0; w < rungs[r].learnt.size(); ++w) {
      const planner::LearntLatency& learnt = rungs[r].learnt[w];
      file.rungs[r].tables[w] = learnt.grid();
      changed = changed || std::abs(learnt.factor() - 1) > kWorthKeeping;
    }
  }
  if (!changed) return std::nullopt;
  return file;
}

double LoadEstimateMs(const RungInfo& rung) {
  const LoadPhases& load = rung.load;
  const double seen = load.map_ms + load.pack_ms + load.warm_ms;
  // Packing int8 reads and writes some gigabytes a second; half a gigabyte is what a slow disk gives.
  constexpr double kBytesPerMs = 0.5e6;
  return seen > 0 ? seen : 1 + static_cast<double>(rung.bytes) / kBytesPerMs;
}

}  // namespace hone::server
