#include "planner/residency.h"

#include <algorithm>
#include <limits>
#include <utility>

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
          Resident* chosen) {
  for (;;) {
    RungRef best{-1, -1};
    double best_score = 0;
    for (int m = 0; m < static_cast<int>(models.size()); ++m) {
      const ModelDemand& model = models[static_cast<std::size_t>(m)];
      const std::vector<bool>& resident = (*chosen)[static_cast<std::size_t>(m)];
      const std::uint64_t room = RoomFor(models, *chosen, budget, m);
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
    (*chosen)[static_cast<std::size_t>(best.model)][static_cast<std::size_t>(best.rung)] = true;
  }
}

// The best rungs of one model that fit beside the others', while that gains something: what greed leaves out
// where a small rung was taken first and the large one no longer fits.
void ChooseEachAnew(const std::vector<ModelDemand>& models, std::uint64_t budget,
                    Resident* chosen) {
  constexpr std::size_t kMostRungs = 8;  // their sets are counted
  constexpr int kPasses = 4;
  bool better = true;
  for (int pass = 0; better && pass < kPasses; ++pass) {
    better = false;
    for (std::size_t m = 0; m < models.size(); ++m) {
      const ModelDemand& model = models[m];
      if (model.rungs.size() > kMostRungs) continue;
      std::vector<bool>& own = (*chosen)[m];
      std::vector<bool> best = own;
      for (std::size_t r = 0; r < own.size(); ++r) own[r] = own[r] && model.rungs[r].pinned;
      const std::uint64_t room =
          BytesOf(model, own) + RoomFor(models, *chosen, budget, static_cast<int>(m));
      double best_value = ValueOf(model, best) * (1 + 1e-9);
      for (unsigned set = 0; set < 1U << own.size(); ++set) {
        std::vector<bool> flags(own.size());
        bool possible = true;
        for (std::size_t r = 0; r < own.size(); ++r) {
          flags[r] = (set >> r & 1) != 0;
          possible = possible && (flags[r] ? model.rungs[r].usable : !own[r]);
        }
        if (!possible || BytesOf(model, flags) > room) continue;
        const double value = ValueOf(model, flags);
        if (value <= best_value) continue;
        best = std::move(flags);
        best_value = value;
        better = true;
      }
      own = std::move(best);
    }
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
  Resident by_density = pinned.resident, by_value = pinned.resident;
  for (Resident* chosen : {&by_density, &by_value}) {
    Fill(models, budget, chosen == &by_density, chosen);
    ChooseEachAnew(models, budget, chosen);
    Fill(models, budget, false, chosen);
  }
  const bool value_wins = ResidencyValue(models, by_value) > ResidencyValue(models, by_density);
  Residency best{.resident = std::move(value_wins ? by_value : by_density)};
  for (std::size_t m = 0; m < models.size(); ++m) {
    best.bytes += BytesOf(models[m], best.resident[m]);
  }
  return best;
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

}  // namespace hone::planner
