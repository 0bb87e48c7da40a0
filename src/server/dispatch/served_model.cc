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

}  // namespace hone::server
