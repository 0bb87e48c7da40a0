// An open-loop load generator: requests leave at their moments whatever became of the earlier ones, and
// every latency counts from that moment, not from when a connection was free (no coordinated omission).
//
// Usage
//   HONE_ASSIGN_OR_RETURN(const LoadResult result, RunLoad(request, progress));
//   result.total.goodput_per_s
//
// Threads  one. Connections are kept alive and opened as needed up to max_connections. A request that
//          finds none free waits, and its wait counts.
// Cost     a write, a read and a wait in epoll a request, about 10 µs of one processor: what it takes
//          from a server on the same machine is in LoadResult::processor_s.
// Memory   32 bytes a request planned and 16 a request answered; the texts once a stream.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "load/arrivals.h"

namespace hone::load {

inline constexpr double kMaxRate = 1e6;  // requests a second, of a stream and of a step

// One stream of requests to one model.
struct Stream {
  std::string model;             // its name in the requests
  std::string route = "/embed";  // one of body.h's
  double rate_per_s = 10;        // 0 with a trace: as it was recorded
  ArrivalSpec arrivals;
  std::vector<Arrival> trace;  // ParseTrace's result, where arrivals.process is kTrace
  double deadline_ms = 0;      // 0: none is sent, and none is counted as late
  std::string priority;        // "low", "normal", "high"; empty: not sent
};

// A part of a run in which the rate stays the same. `rate_per_s` is that of all streams together, shared
// in proportion to their own.
struct Step {
  double rate_per_s = 0;
  double seconds = 0;
};

struct LoadRequest {
  std::string url;  // http://HOST:PORT
  std::string api_key;
  std::vector<Stream> streams;
  std::vector<std::string>
      texts;  // taken in turn, in a seeded order of each stream; empty: DefaultTexts()
  double seconds = 30;
  std::vector<Step> ramp;  // in place of `seconds` and the streams' own rates
  int max_connections = 256;
  double timeout_s = 10;  // a request without an answer this long after its moment is an error
  int max_tokens = 256;   // of a text made up for a trace's number of tokens
  std::uint64_t seed = 1;
};

// Every request sent is exactly one of ok, late, refused, errors.
struct StreamResult {
  std::string model;
  std::int64_t sent = 0;  // planned and due
  std::int64_t ok = 0;    // 200 within the deadline, by the client's clock from the planned moment
  std::int64_t late = 0;  // 200 after it, 504, or given up at its deadline for want of a connection
  std::int64_t refused = 0;  // 429 and 503
  std::int64_t errors = 0;   // anything else
  double goodput_per_s = 0;  // ok per second
  double p50_ms = 0, p95_ms = 0, p99_ms = 0,
         max_ms = 0;  // of answers with 200, from the planned moment
  // Of the same answers, as the server says in its headers; 0 where it does not.
  double p50_queue_ms = 0, p99_queue_ms = 0, p50_compute_ms = 0, p99_compute_ms = 0;
  // Latency from the write on, less the server's compute time: what front and queue cost. Less its queue time too:
  // what the front alone costs.
  double p50_overhead_ms = 0, p99_overhead_ms = 0, p50_front_ms = 0, p99_front_ms = 0;
  std::map<std::string, std::int64_t, std::less<>> rungs;   // X-Hone-Rung of answers
  std::map<std::string, std::int64_t, std::less<>> faults;  // of errors: what happened, how often
  // What the server said to the first error and to the first refusal; empty where it said nothing.
  std::string first_error, first_refusal;
};

struct StepResult {
  double begin_s = 0, seconds = 0, rate_per_s = 0;  // a request belongs to the step of its moment
  std::vector<StreamResult> streams;
  StreamResult total;
};

struct LoadResult {
  double seconds = 0;          // of the plan
  double processor_s = 0;      // of this thread
  double lateness_p50_ms = 0;  // of sending: how far behind its plan the generator was
  double lateness_p99_ms = 0;
  int connections = 0;  // most at a time
  std::vector<StreamResult> streams;
  StreamResult total;             // its model is "total"
  std::vector<StepResult> steps;  // of a ramp
};

// Called about twice a second with what has been counted so far (no percentiles).
using LoadProgress = std::function<void(double seconds, const StreamResult& total)>;

// Errors: CheckRequest's; a server that does not take a first connection.
base::StatusOr<LoadResult> RunLoad(const LoadRequest& request, const LoadProgress& progress);

// What RunLoad asks of a request, its url aside.
base::Status CheckRequest(const LoadRequest& request);

// "1000:5s,3000:10s"; an error names the step.
base::StatusOr<std::vector<Step>> ParseRamp(std::string_view text);

}  // namespace hone::load
