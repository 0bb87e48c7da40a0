// An open-loop load generator: requests leave at their moments whatever became of the earlier ones, and
// every latency counts from that moment, not from when a connection was free (no coordinated omission).
//
// Usage
//   HONE_ASSIGN_OR_RETURN(const LoadResult result, RunLoad(request, progress));
//
// Threads  one; connections are kept alive and opened as needed up to max_connections. A request that
//          finds none free waits, and its wait counts.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "load/arrivals.h"

namespace hone::load {

// One stream of requests to one model.
struct Stream {
  std::string model;  // its name in the requests
  std::string route =
      "/embed";  // "/embed", "/predict", "/v1/embeddings", "/v1/hone/tag", "/v2/…": body.h
  double rate_per_s = 10;
  ArrivalSpec arrivals;
  double deadline_ms = 0;  // 0: none is sent, and none is counted as late
  std::string priority;    // "low", "normal", "high"; empty: not sent
};

struct LoadRequest {
  std::string url;  // http://HOST:PORT
  std::string api_key;
  std::vector<Stream> streams;
  std::vector<std::string> texts;  // taken in turn, seeded
  double seconds = 30;
  int max_connections = 256;
  std::uint64_t seed = 1;
};

struct StreamResult {
  std::string model;
  std::int64_t sent = 0;
  std::int64_t ok =
      0;  // answered within the deadline, by the client's clock from the planned moment
  std::int64_t late = 0;                                  // answered after it, or 504
  std::int64_t refused = 0;                               // 429 and 503
  std::int64_t errors = 0;                                // anything else
  double goodput_per_s = 0;                               // ok per second
  double p50_ms = 0, p95_ms = 0, p99_ms = 0, max_ms = 0;  // of answers (ok and late)
  double p50_queue_ms = 0, p50_compute_ms = 0;            // as the server says in its headers
  std::map<std::string, std::int64_t> rungs;              // X-Hone-Rung of answers
  std::map<std::string, std::int64_t> faults;             // first words of errors, a few
};

struct LoadResult {
  double seconds = 0;
  double processor_s = 0;      // this program's own
  double lateness_p99_ms = 0;  // of sending: how far behind its plan the generator itself was
  std::vector<StreamResult> streams;
  StreamResult total;
};

using LoadProgress = std::function<void(double seconds, const StreamResult& total)>;

base::StatusOr<LoadResult> RunLoad(const LoadRequest& request, const LoadProgress& progress);

}  // namespace hone::load
