// Made-up models and traffic for the simulation's tests.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "load/random.h"
#include "sim/simulation.h"

namespace hone::sim {

// A batch takes  fixed + texts · (length · per_token)  milliseconds.
inline planner::LatencyTable LinearTable(double fixed_ms, double per_token_ms) {
  planner::LatencyGrid grid{.lengths = {8, 32, 128, 512}, .texts = {1, 4, 16, 64}, .ms = {}};
  for (const int length : grid.lengths) {
    for (const int texts : grid.texts) {
      grid.ms.push_back(fixed_ms + per_token_ms * texts * length);
    }
  }
  return *planner::LatencyTable::FromGrid(std::move(grid));
}

// Three rungs: the accurate one, half and a quarter of its time.
inline scheduler::Model ThreeRungs(const std::string& name, double fixed_ms, double per_token_ms) {
  scheduler::Model model{.name = name, .rungs = {}};
  const struct {
    const char* name;
    double accuracy, share;
  } rungs[] = {{"dense", 0.92, 1}, {"2x", 0.91, 0.5}, {"4x", 0.88, 0.25}};
  for (const auto& rung : rungs) {
    model.rungs.push_back(
        {.name = rung.name,
         .accuracy = rung.accuracy,
         .tables = {LinearTable(fixed_ms * rung.share, per_token_ms * rung.share)}});
  }
  return model;
}

// Three models on executors of one thread.
inline scheduler::Setup ThreeModels(int executors) {
  scheduler::Setup setup{.widths = {1}};
  setup.models = {ThreeRungs("intent", 0.2, 0.02), ThreeRungs("tag", 0.4, 0.05),
                  ThreeRungs("embed", 0.5, 0.06)};
  for (int e = 0; e < executors; ++e) setup.executors.push_back({.width = 0});
  return setup;
}

struct Traffic {
  double load = 1;  // 1: all executors are just busy with the accurate rungs, one text at a time
  double seconds = 4;
  std::string arrivals = "poisson";
  int tenants = 1;
  bool classes = false;  // a third low, a third high
};

// Time from arrival to deadline is between 3 and 40 times that of the accurate rung alone.
inline std::vector<SimRequest> MakeTraffic(const scheduler::Setup& setup, const Traffic& traffic,
                                           std::uint64_t seed) {
  constexpr int kTokens[] = {12, 24, 40, 64};
  constexpr double kTimes[] = {3, 6, 12, 40};
  load::Random random(seed);
  double mean_ns = 0;
  for (const scheduler::Model& model : setup.models) {
    for (const int tokens : kTokens) {
      mean_ns += static_cast<double>(model.rungs[0].tables[0].Predict(1, tokens));
    }
  }
  mean_ns /= static_cast<double>(setup.models.size() * std::size(kTokens));
  const double rate = traffic.load * static_cast<double>(setup.executors.size()) * 1e9 / mean_ns;
  std::vector<SimRequest> requests;
  const auto duration = static_cast<base::TimeNs>(traffic.seconds * 1e9);
  for (const load::Arrival& arrival :
       load::MakeArrivals(*load::ParseArrivals(traffic.arrivals), rate, duration, random.Next())) {
    SimRequest request{.at = arrival.at};
    request.model = static_cast<int>(random.Below(setup.models.size()));
    request.tenant = static_cast<int>(random.Below(static_cast<std::size_t>(traffic.tenants)));
    if (traffic.classes) request.priority = static_cast<scheduler::Priority>(random.Below(3));
    request.tokens = kTokens[random.Below(std::size(kTokens))];
    const auto& table = setup.models[static_cast<std::size_t>(request.model)].rungs[0].tables[0];
    const double time_ns = static_cast<double>(table.Predict(1, request.tokens));
    request.deadline = request.at + setup.overhead_ns +
                       static_cast<base::TimeNs>(time_ns * kTimes[random.Below(std::size(kTimes))]);
    requests.push_back(request);
  }
  return requests;
}

}  // namespace hone::sim
