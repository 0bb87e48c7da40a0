#include "planner/core_split.h"

#include <algorithm>

#include "base/check.h"

namespace hone::planner {
namespace {

// As many executors of that width as the cores give, and the widest that fit the rest.
std::vector<int> SplitInto(int width, const std::vector<int>& widths, int cores) {
  std::vector<int> split(static_cast<std::size_t>(cores / width), width);
  int rest = cores % width;
  for (auto narrower = widths.rbegin(); narrower != widths.rend(); ++narrower) {
    for (; *narrower <= rest; rest -= *narrower) split.push_back(*narrower);
  }
  return split;
}

// Mean time of a request on an executor of widths[index], each model by its rate.
double MeanNs(const std::vector<CoreDemand>& models, std::size_t index) {
  double time = 0, rate = 0;
  for (const CoreDemand& model : models) {
    const auto one = static_cast<double>(model.tables[index]->Predict(model.texts, model.tokens));
    time += model.rate_per_s * one;
    rate += model.rate_per_s;
  }
  return rate > 0 ? time / rate : 0;
}

}  // namespace

CoreSplit ChooseSplit(const std::vector<CoreDemand>& models, const std::vector<int>& widths,
                      int cores) {
  HONE_CHECK(!widths.empty() && widths.front() == 1 && cores >= 1);
  double rate = 0;
  for (const CoreDemand& model : models) {
    HONE_CHECK(model.tables.size() == widths.size());
    rate += model.rate_per_s;
  }
  CoreSplit best;
  double best_excess = 0;
  for (std::size_t w = widths.size(); w-- > 0;) {  // the widest first: it wins where all is equal
    if (widths[w] > cores) continue;
    CoreSplit split{.widths = SplitInto(widths[w], widths, cores)};
    double served_per_s = 0, excess = 0;
    for (const int width : split.widths) {
      const auto index =
          static_cast<std::size_t>(std::find(widths.begin(), widths.end(), width) - widths.begin());
      const double mean_ns = MeanNs(models, index);
      if (mean_ns > 0) served_per_s += base::kSecondNs / mean_ns;
    }
    split.utilisation = served_per_s > 0 ? rate / served_per_s : 0;
    for (const CoreDemand& model : models) {
      if (model.deadline_ns <= 0) continue;
      const auto time = static_cast<double>(model.tables[w]->Predict(model.texts, model.tokens));
      excess = std::max(excess, 2 * time / static_cast<double>(model.deadline_ns) - 1);
    }
    const bool better = best.widths.empty() || excess < best_excess ||
                        (excess == best_excess && split.utilisation < best.utilisation);
    if (better) {
      best = std::move(split);
      best_excess = excess;
    }
  }
  return best;
}

}  // namespace hone::planner
