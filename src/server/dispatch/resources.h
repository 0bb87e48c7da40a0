// Keeps memory and cores as the planner says (planner/memory_keeper.h, planner/split_keeper.h): takes what it
// decides from, and does what it decides. Runs on the background thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/thread_pool.h"
#include "env/file.h"
#include "planner/memory_keeper.h"
#include "planner/split_keeper.h"
#include "server/dispatch/dispatcher.h"
#include "server/service.h"

namespace hone::server {

// Why a rung of this size can never be loaded: "needs 2,000 bytes of memory; the budget has 1,000". Nothing where
// it can, once others leave. `limit`: of its model; 0: none.
std::optional<std::string> WhyNever(std::uint64_t bytes, std::uint64_t budget, std::uint64_t limit);

class ResourceKeeper {
 public:
  ResourceKeeper(env::FileSystem& files, const ServiceOptions& options, Dispatcher& dispatcher);

  // `seconds` since the last call. Loads what is wanted, and what would serve better. Rates and the cores'
  // split are looked at once in a while only, however often a wanted model wakes the thread.
  void Look(double seconds);

 private:
  // Of all models at one moment, in one order; `resident` follows what is loaded and evicted.
  struct Snapshot {
    struct Model {
      int number = 0;
      std::shared_ptr<const Endpoint> endpoint;
      std::vector<RungFiles> rungs;
    };
    std::vector<Model> models;
    std::vector<planner::ModelState> states;
  };

  Snapshot Take();
  void FollowMemory(bool whole);
  // False where there is no room for it, and nobody waits any more: there is nothing to look at again.
  bool Load(Snapshot& snapshot, planner::RungRef rung);
  bool MakeRoom(Snapshot& snapshot, planner::RungRef rung);

  env::FileSystem& files_;
  const ServiceOptions& options_;
  Dispatcher& dispatcher_;
  std::shared_ptr<base::ThreadPool> pool_;
  planner::MemoryKeeper memory_;
  planner::SplitKeeper split_;
  double since_s_ = 0;  // the last look at the rates
};

}  // namespace hone::server
