// A rung from disk into memory: mapped, packed for this processor, and run a few times.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/isa.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "env/file.h"
#include "runtime/local_engine.h"
#include "server/endpoint.h"
#include "server/models/model_files.h"

namespace hone::server {

struct LoadedRung {
  // Packed weights. It never runs a request: executors run engines that share its weights.
  std::shared_ptr<const runtime::LocalEngine> engine;
  LoadPhases phases;  // measure_ms is not its business
  std::uint64_t bytes = 0;
  std::string format;
};

// `pool` packs and warms. An error where the rung's task, vocabulary, outputs or limits are not those
// of the endpoint, which requests are checked against.
base::StatusOr<LoadedRung> LoadRung(env::FileSystem& files, const Endpoint& endpoint,
                                    const RungFiles& rung, base::Isa isa,
                                    std::shared_ptr<base::ThreadPool> pool);

// Bytes that the packed weights will take, from the shapes of the stored ones.
base::StatusOr<std::uint64_t> PredictPackedBytes(env::FileSystem& files, const RungFiles& rung);

}  // namespace hone::server
