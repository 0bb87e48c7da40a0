// Keeps memory and cores as the planner says (planner/resources.h), from what is asked of the models:
// which rungs are in memory, and how the cores are split. Runs on the background thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "env/file.h"
#include "planner/resources.h"
#include "server/dispatch/dispatcher.h"
#include "server/service.h"

namespace hone::server {

class ResourceKeeper {
 public:
  ResourceKeeper(env::FileSystem& files, const ServiceOptions& options, Dispatcher& dispatcher);

  // `seconds` since the last call. Loads what is wanted, and now and then what would serve better: one
  // load at most but for models that somebody waits for. Rates and the cores' split are looked at once in
  // a while only, however often a wanted model wakes the thread.
  void Look(double seconds);

 private:
  struct Rung {
    RungFiles files;
    std::uint64_t bytes = 0;
    bool resident = false, failed = false;
  };
  struct Model {
    int number = 0;
    bool wanted = false;
    std::shared_ptr<const Endpoint> endpoint;
    std::vector<Rung> rungs;
  };
  // Of all models at one moment, in one order; `resident` follows what is loaded and evicted.
  struct Snapshot {
    std::vector<Model> models;
    std::vector<planner::ModelDemand> demands;
    std::vector<planner::CoreDemand> cores;
    std::vector<std::vector<planner::LatencyTable>> tables;  // that `cores` points to
  };

  Snapshot Take();
  void PlanMemory(Snapshot& snapshot, bool whole);
  void PlanCores(const Snapshot& snapshot);
  void Load(Snapshot& snapshot, std::size_t model, std::size_t rung);
  bool MakeRoom(Snapshot& snapshot, std::size_t model, std::uint64_t bytes);

  env::FileSystem& files_;
  const ServiceOptions& options_;
  Dispatcher& dispatcher_;
  std::shared_ptr<base::ThreadPool> pool_;
  std::vector<std::vector<bool>> last_choice_;  // of memory, by the look before
  double since_s_ = 0;                          // the last look at the rates
  int last_split_ = -1, split_looks_ = 0;
  int looks_since_hold_ = 1 << 10;
};

}  // namespace hone::server
