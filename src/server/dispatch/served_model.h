// A model as the dispatcher keeps it: its rungs in memory, what was asked of it, what it did.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time_ns.h"
#include "planner/learnt_latency.h"
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

// What clients ask of a model, for whoever plans memory and cores.
struct Demand {
  // Since the last look.
  std::int64_t requests = 0, texts = 0, tokens = 0;
  // Means that fade over some seconds.
  double rate_per_s = 0, texts_mean = 0, tokens_mean = 0;
  // Deadlines of the last requests, as spans; count ≤ size.
  std::array<base::TimeNs, 64> deadlines{};
  std::size_t deadline_count = 0;

  void Asked(int request_texts, int request_tokens, base::TimeNs deadline_span);
  void Look(double seconds);           // folds what came since the last look into the means
  base::TimeNs TightestTenth() const;  // 0: none seen
};

struct ServedRung {
  RungFiles files;
  RungInfo info;                                       // p50_ms and p95_ms are filled in on request
  std::shared_ptr<const runtime::LocalEngine> packed;  // null: not in memory
  std::vector<std::shared_ptr<runtime::LocalEngine>> engines;  // one an executor, made at first use
  RatioWindow ratios;
  std::vector<planner::LearntLatency> learnt;  // one a width of the layouts

  bool resident() const { return packed != nullptr; }
};

struct ServedModel {
  std::shared_ptr<const Endpoint> endpoint;
  ModelOptions options;
  std::vector<ServedRung> rungs;       // as the scheduler's
  bool closed = false;                 // takes no more queries
  bool wanted = false;                 // somebody asked while no rung was in memory
  int running = 0;                     // batches
  std::vector<std::uint64_t> waiting;  // tickets of requests that wait for a rung
  Demand demand;
  Counters counters;
  Histogram queue, compute, total;
  std::string content;          // what its tables are kept for; empty: they are not
  planner::TableFile measured;  // as they were at the start

  bool any_resident() const;
  // The measured tables with what was learnt since; nothing where that is less than a few percent.
  std::optional<planner::TableFile> Learnt() const;
};

// Expected milliseconds from disk to ready, by what the last load took; by its size where there was
// none.
double LoadEstimateMs(const RungInfo& rung);

}  // namespace hone::server
