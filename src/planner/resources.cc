#include "planner/resources.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace hone::planner {
namespace {

constexpr double kAccuracyWeight = 0.25, kSpeedWeight = 0.25;
// A model that nobody has asked for yet is still worth memory that nobody else wants.
constexpr double kLeastRate = 1e-3;

using Resident = std::vector<std::vector<bool>>;

double ValueOf(const ModelDemand& model, const std::vector<bool>& resident) {
  double best = 0, worst_accuracy = 0, best_accuracy = 0;
  base::TimeNs fastest = 0, slowest = 1;
  bool any = false;
  for (std::size_t r = 0; r < model.rungs.size(); ++r) {
    const RungDemand& rung = model.rungs[r];
    worst_accuracy = r == 0 ? rung.accuracy : std::min(worst_accuracy, rung.accuracy);
    best_accuracy = r == 0 ? rung.accuracy : std::max(best_accuracy, rung.accuracy);
    slowest = std::max(slowest, rung.request_ns);
    if (!resident[r]) continue;
    best = any ? std::max(best, rung.accuracy) : rung.accuracy;
    fastest = any ? std::min(fastest, rung.request_ns) : rung.request_ns;
    any = true;
  }
  if (!any) return 0;
  const double range = best_accuracy - worst_accuracy;
  const double accuracy = range > 0 ? (best - worst_accuracy) / range : 1;
  const double speed = 1 - static_cast<double>(fastest) / static_cast<double>(slowest);
  return std::max(model.rate_per_s, kLeastRate) *
         (1 + kAccuracyWeight * accuracy + kSpeedWeight * speed);
}

// What the value of its model changes by when that rung comes or goes.
double ChangeOf(const ModelDemand& model, std::vector<bool> resident, int rung) {
  const double before = ValueOf(model, resident);
  resident[static_cast<std::size_t>(rung)].flip();
  return ValueOf(model, resident) - before;
}

const RungDemand& At(const std::vector<ModelDemand>& models, RungRef ref) {
  return models[static_cast<std::size_t>(ref.model)].rungs[static_cast<std::size_t>(ref.rung)];
}

double PerByte(double value, const RungDemand& rung) {
  return value / static_cast<double>(std::max<std::uint64_t>(rung.bytes, 1));
}

std::uint64_t BytesOf(const ModelDemand& model, const std::vector<bool>& resident) {
  std::uint64_t bytes = 0;
  for (std::size_t r = 0; r < model.rungs.size(); ++r) {
    if (resident[r]) bytes += model.rungs[r].bytes;
  }
  return bytes;
}

// Adds what fits, best first, until nothing does.
void Fill(const std::vector<ModelDemand>& models, std::uint64_t budget, bool per_byte,
          Residency* chosen) {
  for (;;) {
    RungRef best{-1, -1};
    double best_score = 0;
    for (int m = 0; m < static_cast<int>(models.size()); ++m) {
      const ModelDemand& model = models[static_cast<std::size_t>(m)];
      const std::vector<bool>& resident = chosen->resident[static_cast<std::size_t>(m)];
      const std::uint64_t room = RoomFor(models, chosen->resident, budget, m);
      for (int r = 0; r < static_cast<int>(model.rungs.size()); ++r) {
        const RungDemand& rung = model.rungs[static_cast<std::size_t>(r)];
        if (!rung.usable || resident[static_cast<std::size_t>(r)] || rung.bytes > room) {
          continue;
        }
        const double added = ChangeOf(model, resident, r);
        const double score = per_byte ? PerByte(added, rung) : added;
        if (score > best_score) {
          best = {m, r};
          best_score = score;
        }
      }
    }
    if (best.model < 0) return;
    chosen->resident[static_cast<std::size_t>(best.model)][static_cast<std::size_t>(best.rung)] =
        true;
    chosen->bytes += At(models, best).bytes;
  }
}

}  // namespace

double ResidencyValue(const std::vector<ModelDemand>& models, const Resident& resident) {
  double sum = 0;
  for (std::size_t m = 0; m < models.size(); ++m) sum += ValueOf(models[m], resident[m]);
  return sum;
}

std::uint64_t RoomFor(const std::vector<ModelDemand>& models, const Resident& resident,
                      std::uint64_t budget_bytes, int model) {
  std::uint64_t taken = 0, own = 0;
  for (std::size_t m = 0; m < models.size(); ++m) {
    const std::uint64_t bytes = BytesOf(models[m], resident[m]);
    const bool mine = static_cast<int>(m) == model;
    if (mine) own = bytes;
    taken += mine ? bytes : std::max(bytes, models[m].reserved_bytes);
  }
  std::uint64_t room = budget_bytes - std::min(budget_bytes, taken);
  if (const std::uint64_t limit = models[static_cast<std::size_t>(model)].limit_bytes; limit > 0) {
    room = std::min(room, limit - std::min(limit, own));
  }
  return room;
}

Residency ChooseResident(const std::vector<ModelDemand>& models, std::uint64_t budget_bytes) {
  const std::uint64_t budget =
      budget_bytes == 0 ? std::numeric_limits<std::uint64_t>::max() : budget_bytes;
  Residency pinned;
  for (const ModelDemand& model : models) {
    std::vector<bool>& resident = pinned.resident.emplace_back();
    for (const RungDemand& rung : model.rungs) {
      resident.push_back(rung.usable && (rung.pinned || budget_bytes == 0));
      if (resident.back()) pinned.bytes += rung.bytes;
    }
  }
  pinned.fits = pinned.bytes <= budget;
  if (budget_bytes == 0 || !pinned.fits) return pinned;
  Residency by_density = pinned, by_value = std::move(pinned);
  Fill(models, budget, true, &by_density);
  Fill(models, budget, false, &by_value);
  const bool value_wins =
      ResidencyValue(models, by_value.resident) > ResidencyValue(models, by_density.resident);
  return value_wins ? by_value : by_density;
}

std::vector<RungRef> EvictionOrder(const std::vector<ModelDemand>& models,
                                   const std::vector<std::vector<bool>>& resident) {
  Resident left = resident;
  std::vector<RungRef> order;
  for (;;) {
    RungRef least{-1, -1};
    double least_score = 0;
    for (int m = 0; m < static_cast<int>(models.size()); ++m) {
      const ModelDemand& model = models[static_cast<std::size_t>(m)];
      const std::vector<bool>& rungs = left[static_cast<std::size_t>(m)];
      const std::uint64_t bytes = BytesOf(model, rungs);
      for (int r = 0; r < static_cast<int>(model.rungs.size()); ++r) {
        const RungDemand& rung = model.rungs[static_cast<std::size_t>(r)];
        if (!rungs[static_cast<std::size_t>(r)] || rung.pinned) continue;
        if (bytes - rung.bytes < model.reserved_bytes) continue;
        const double score = PerByte(-ChangeOf(model, rungs, r), rung);
        if (least.model < 0 || score < least_score) {
          least = {m, r};
          least_score = score;
        }
      }
    }
    if (least.model < 0) return order;
    left[static_cast<std::size_t>(least.model)][static_cast<std::size_t>(least.rung)] = false;
    order.push_back(least);
  }
}

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
