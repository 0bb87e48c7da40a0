// A model as the dispatcher keeps it: its rungs in memory, what was asked of it, what it did.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time_ns.h"
#include "planner/learnt_latency.h"
#include "planner/observed_demand.h"
#include "planner/table_file.h"
#include "runtime/local_engine.h"
#include "server/dispatch/request.h"
#include "server/endpoint.h"
#include "server/models/model_files.h"
#include "server/service.h"

namespace hone::server {

// How far batches' times lie from the table's, lately.
class RatioWindow {
 public:
  void Add(double ratio);
  // 1.0 of the fallback's where nothing has been seen.
  double Percentile95(double fallback) const;

 private:
  static constexpr std::size_t kSize = 64;
  std::array<float, kSize> ratios_{};
  std::size_t count_ = 0;
};

// What was done under a model's name since the server began, however often it was loaded anew.
struct RungTotals {
  std::int64_t texts = 0, loads = 0, evictions = 0;
};
struct ModelTotals {
  Counters counters;
  Histogram queue, compute, total;
  std::map<std::string, RungTotals> rungs;
};

struct ServedRung {
  RungFiles files;
  RungTotals* totals = nullptr;
  RungInfo info;                                       // p50_ms and p95_ms are filled in on request
  std::shared_ptr<const runtime::LocalEngine> packed;  // null: not in memory
  std::vector<std::shared_ptr<runtime::LocalEngine>> engines;  // one an executor, made at first use
  double load_work_ms = 0;    // planner::LoadWorkMs, by the last load
  int failures = 0;           // of loads, one after the other
  base::TimeNs retry_at = 0;  // after a failure
  RatioWindow ratios;
  std::vector<planner::LearntLatency> learnt;  // one a width of the layouts

  bool resident() const { return packed != nullptr; }
  bool MayBeLoaded(base::TimeNs now) const {
    return info.state != RungState::kFailed || now >= retry_at;
  }
};

struct ServedModel {
  std::shared_ptr<const Endpoint> endpoint;
  ModelOptions options;
  std::vector<ServedRung> rungs;       // as the scheduler's
  bool closed = false;                 // takes no more queries
  bool wanted = false;                 // somebody asked while no rung was in memory
  int running = 0;                     // batches
  std::vector<std::uint64_t> waiting;  // tickets of requests that wait for a rung
  planner::ObservedDemand demand;
  std::shared_ptr<ModelTotals> totals;
  std::string content;          // what its tables are kept for; empty: they are not
  planner::TableFile measured;  // as they were at the start

  bool any_resident() const;
  // The measured tables with what was learnt since; nothing where that is less than a few percent.
  std::optional<planner::TableFile> Learnt() const;
};

}  // namespace hone::server
