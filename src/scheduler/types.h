// What is scheduled, and on what: plain structs that the policies read.
//
// An item is what runs as one: the texts of a request, or a part of them where there are many. Accepting
// an item is a promise: it is answered by its deadline. Numbers of models, rungs and executors are
// indices into the scheduler's lists.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time_ns.h"
#include "planner/latency_table.h"

namespace hone::scheduler {

using base::TimeNs;

// A class of requests. Accepted items run in the order of their deadlines whatever their class; the
// class decides how much of a busy machine a request may still claim (policy.h).
enum class Priority : std::uint8_t { kLow, kNormal, kHigh };

struct Item {
  std::uint64_t id = 0;
  int model = 0;
  int tenant = 0;
  Priority priority = Priority::kNormal;
  TimeNs arrival = 0, deadline = 0;  // deadline > arrival
  int texts = 1, tokens = 1;
};

struct Rung {
  std::string name;
  double accuracy = 0;   // of the task's metric
  bool resident = true;  // otherwise it must be loaded before it can run
  std::vector<planner::LatencyTable>
      tables;  // one an executor width, in the order of Setup::widths
};

struct Model {
  std::string name;
  std::vector<Rung> rungs;      // most accurate first; at least one
  int max_texts = 64;           // of a batch
  int max_tokens = 8192;        // of a batch
  int max_executors = 1 << 20;  // that may run it at the same time
  double reserved_cores = 0;    // others' items leave that much free for it
  double limit_cores = 1e9;     // accepted work stays within it, in the mean of a second or so
};

struct Executor {
  int width = 0;        // index into Setup::widths
  bool enabled = true;  // part of the core split in force
  bool busy = false;
  TimeNs free_at = 0;  // when busy: as predicted
  int model = -1, rung = -1;
};

struct Setup {
  std::vector<int> widths;  // threads of an executor of each width, ascending
  std::vector<Model> models = {};
  std::vector<Executor> executors = {};
  // Time between a batch's end and its answers on the wire, and whatever else a promise must leave.
  TimeNs overhead_ns = 300 * base::kMicrosecondNs;
  int max_queued = 4096;  // items
  TimeNs max_batch_ns =
      25 * base::kMillisecondNs;  // a batch of more texts than one is kept below it
};

enum class Refusal : std::uint8_t {
  kNone,
  kDeadline,  // cannot be answered in time, not even by the fastest rung
  kShare,     // the tenant's or the model's share of a busy machine is used up
  kQueueFull,
  kNotResident,  // no rung of the model is in memory; one was asked for
};

// "deadline", "share", "queue_full", "not_resident"; "" for kNone.
const char* NameOf(Refusal refusal);

struct Admission {
  Refusal refusal = Refusal::kNone;
  // When it is worth asking again, from now; 0 where asking the same again does not help.
  TimeNs retry_after = 0;
  bool accepted() const { return refusal == Refusal::kNone; }
};

// What an idle executor does: run these items as one batch on that rung; nothing where items is empty.
struct Decision {
  int model = -1, rung = -1;
  std::vector<std::uint64_t> items;
};

}  // namespace hone::scheduler
