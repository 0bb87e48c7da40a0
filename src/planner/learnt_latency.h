// What serving teaches of a latency table that was measured in a hurry on an idle machine: batches that come
// between others find colder caches, and a processor that the front and other batches use too.
//
//   factor = Σ seen / Σ expected        seen: processor time, so that a stall or a busy neighbour is not learnt
//
// Unlike a table's own correction, which follows the last few batches, it is a mean over thousands: what is
// kept for the next start, and what a simulation of this device should count with.
//
// Thread-safety  none; whoever runs the batches owns it.
#pragma once

#include "planner/latency_table.h"

namespace hone::planner {

class LearntLatency {
 public:
  explicit LearntLatency(LatencyTable measured) : measured_(std::move(measured)) {}

  void Observe(int texts, int tokens, base::TimeNs seen);
  // 1 until enough has been seen; within [1/4, 4].
  double factor() const;
  // The measured grid times the factor.
  LatencyGrid grid() const;

 private:
  LatencyTable measured_;  // its own correction stays 1
  double seen_ns_ = 0, expected_ns_ = 0;
  int batches_ = 0;
};

}  // namespace hone::planner
