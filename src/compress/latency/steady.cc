#include "compress/latency/steady.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace hone::compress {

double SteadyTimer::usual_ms() const {
  if (latest_ms_.empty()) return 0;
  std::vector<double> sorted(latest_ms_.begin(), latest_ms_.end());
  std::ranges::sort(sorted);
  return sorted[(sorted.size() - 1) / 4];
}

LatencyPair SteadyTimer::Time(const std::function<LatencyPair()>& time) {
  std::vector<LatencyPair> timings;
  const auto off = [this](const LatencyPair& pair) {
    return std::abs(pair.dense.p50_ms / usual_ms() - 1);
  };
  do {
    timings.push_back(time());
    latest_ms_.push_back(timings.back().dense.p50_ms);
    if (latest_ms_.size() > kLatest) latest_ms_.pop_front();
  } while (off(timings.back()) > kAlike && static_cast<int>(timings.size()) < kMostTimes);
  return *std::ranges::min_element(timings, {}, off);
}

}  // namespace hone::compress
