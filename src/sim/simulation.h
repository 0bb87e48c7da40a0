// The server in virtual time: the same scheduler and policies, over made-up arrivals and a made-up machine,
// from a seed. A day of traffic takes seconds, and a failure is a seed.
//
// Machine  a batch takes  table(texts, tokens) · lognormal(sigma) , and once in `stall_every` batches a stall
//          of `stall_ms` more: what a shared machine does. sigma 0 and no stalls: exactly as predicted.
//          Besides, each request costs the front `front_ms` of one core (0: nothing).
// Planner  rungs are loaded and evicted, and the cores split anew, as the server would (background.h).
// Source   the server's loop in server/dispatch; bench/serve holds both to within 10 % of each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "load/arrivals.h"
#include "scheduler/scheduler.h"
#include "sim/background.h"

namespace hone::sim {

struct SimRequest {
  base::TimeNs at = 0;
  int model = 0, tenant = 0;
  scheduler::Priority priority = scheduler::Priority::kNormal;
  base::TimeNs deadline = 0;  // moment, not span
  int texts = 1, tokens = 1;
};

struct Machine {
  double sigma = 0.05;
  int stall_every = 0;  // batches; 0: never
  double stall_ms = 0;
  double front_ms = 0;
};

struct SimModelResult {
  std::int64_t sent = 0, ok = 0, late = 0, refused = 0;
  double accuracy = 0;  // mean over answers in time
  std::map<std::string, std::int64_t> rungs;
  double p50_ms = 0, p99_ms = 0;
  std::int64_t loads = 0, evictions = 0;  // of rungs, after the start
};

struct SimResult {
  double seconds = 0;
  std::vector<SimModelResult> models;
  SimModelResult total;
  double goodput_per_s = 0,
         accuracy_goodput_per_s = 0;  // the second: each answer counts its rung's accuracy
  double busy = 0;                    // share of the executors' time
  std::uint64_t most_bytes = 0;       // of rungs in memory; 0 without a budget
  std::int64_t switches = 0;          // of the cores' split
};

// Called now and then with how many of the requests have arrived.
using SimProgress = std::function<void(std::size_t done, std::size_t total)>;

// `requests` ascending by `at`; `progress` may be empty.
base::StatusOr<SimResult> Simulate(const scheduler::Setup& setup, const std::string& policy,
                                   const std::vector<SimRequest>& requests, const Machine& machine,
                                   std::uint64_t seed, const Resources& resources = {},
                                   const SimProgress& progress = {});

// The most requests that any schedule, even one that knows the future, answers in time: exact for at most
// ExactLimit() requests (branch and bound over orders, batches and rungs, on one executor).
int ExactOptimum(const scheduler::Setup& setup, const std::vector<SimRequest>& requests);
int ExactLimit();
// An upper bound for any number: preemption allowed, every text at the lowest cost per text that any batch
// and rung gives on an executor of any width, all enabled executors together. Receiving and answering a request, accepted or not, takes the
// executors front_ms of one core by its deadline, as in Machine.
std::int64_t UpperBound(const scheduler::Setup& setup, const std::vector<SimRequest>& requests,
                        double front_ms = 0);

}  // namespace hone::sim
