#include "planner/model_state.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/strings.h"

namespace hone::planner {
namespace {

ModelDemand DemandOf(const ModelState& model, double rate_per_s,
                     const std::function<base::TimeNs(const RungState&)>& request_ns) {
  ModelDemand demand{.rate_per_s = rate_per_s,
                     .rungs = {},
                     .reserved_bytes = model.reserved_bytes,
                     .limit_bytes = model.limit_bytes};
  for (const RungState& rung : model.rungs) {
    demand.rungs.push_back({.bytes = rung.bytes,
                            .accuracy = rung.accuracy,
                            .request_ns = request_ns(rung),
                            .pinned = model.pinned,
                            .usable = rung.usable});
  }
  return demand;
}

ModelDemand KnownDemandOf(const ModelState& model, double rate_per_s) {
  const int texts = model.demand.TypicalTexts(), tokens = model.demand.TypicalTokens();
  return DemandOf(model, rate_per_s,
                  [&](const RungState& rung) { return rung.tables.back().Predict(texts, tokens); });
}

}  // namespace

base::StatusOr<std::vector<std::vector<bool>>> FirstResident(const std::vector<ModelState>& models,
                                                             std::uint64_t budget_bytes) {
  std::vector<ModelDemand> demands;
  for (const ModelState& model : models) {
    demands.push_back(DemandOf(
        model, 1, [](const RungState& rung) { return static_cast<base::TimeNs>(rung.bytes) + 1; }));
  }
  Residency choice = ChooseResident(demands, budget_bytes);
  if (!choice.fits) {
    return base::OutOfResource("the pinned models need more than the memory budget of ",
                               base::WithCommas(budget_bytes), " bytes");
  }
  return std::move(choice.resident);
}

std::vector<ModelDemand> MeanDemands(const std::vector<ModelState>& models) {
  std::vector<ModelDemand> demands;
  for (const ModelState& model : models) {
    demands.push_back(KnownDemandOf(model, model.demand.rate_per_s));
  }
  return demands;
}

std::vector<ModelDemand> RecentDemands(const std::vector<ModelState>& models, base::TimeNs now) {
  std::vector<ModelDemand> demands;
  for (const ModelState& model : models) {
    // Whoever waits counts, however long nobody has asked.
    const double rate = model.demand.RecentRate(now);
    demands.push_back(KnownDemandOf(model, model.wanted ? std::max(rate, 1.0) : rate));
  }
  return demands;
}

std::vector<CoreDemand> CoreDemands(const std::vector<ModelState>& models) {
  std::vector<CoreDemand> demands;
  for (const ModelState& model : models) {
    CoreDemand& demand = demands.emplace_back();
    demand.rate_per_s = model.demand.rate_per_s;
    demand.texts = model.demand.TypicalTexts();
    demand.tokens = model.demand.TypicalTokens();
    demand.deadline_ns = model.demand.TightestTenth();
    const auto resident = std::ranges::find_if(model.rungs, &RungState::resident);
    const RungState& used = resident == model.rungs.end() ? model.rungs.front() : *resident;
    for (const LatencyTable& table : used.tables) demand.tables.push_back(&table);
  }
  return demands;
}

std::vector<std::vector<bool>> ResidentOf(const std::vector<ModelState>& models) {
  std::vector<std::vector<bool>> resident;
  for (const ModelState& model : models) {
    std::vector<bool>& flags = resident.emplace_back();
    for (const RungState& rung : model.rungs) flags.push_back(rung.resident);
  }
  return resident;
}

}  // namespace hone::planner
