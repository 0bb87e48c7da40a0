// A query on its way through the dispatcher, and the parts it is cut into.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "server/query.h"

namespace hone::server {

// Guarded by the dispatcher's lock but for query.texts, which nobody changes, and results: a running
// part writes those of its own texts.
struct Request {
  Query query;
  Done done;  // moved out when it is called
  base::TimeNs deadline = 0;
  std::vector<TextResult> results;
  std::uint64_t answer_bytes = 0;  // of the numbers in them
  std::uint64_t ticket = 0;
  std::vector<std::uint64_t> items;  // the scheduler's, one a part
  int parts_left = 0;
  bool answered = false;  // done is called, or about to be
  // Of the parts that have run.
  int rung = -1;  // the least accurate
  base::TimeNs queue_ns = 0, compute_ns = 0;
  std::uint64_t last_batch = 0;
};

// Texts [begin, end) of a request: one item of the scheduler.
struct Part {
  std::shared_ptr<Request> request;
  int begin = 0, end = 0;
  bool finite = true;  // of what was computed
};

}  // namespace hone::server
