// What became of the requests, counted by step and stream as they end.
#pragma once

#include <string_view>
#include <vector>

#include "load/load.h"

namespace hone::load {

// Of an answer with 200, milliseconds.
struct Sample {
  float latency = 0, overhead = 0, queue = 0, compute = 0;
};

class Tally {
 public:
  Tally(const LoadRequest& request, int steps);

  void Sent(int step, int stream);
  void Answered(int step, int stream, bool in_time, const Sample& sample, std::string_view rung);
  void Late(int step, int stream);  // without a 200
  // `body`: of the answer that says why.
  void Refused(int step, int stream, std::string_view body);
  void Failed(int step, int stream, std::string_view why, std::string_view body = {});

  // Everything counted so far, without percentiles.
  StreamResult Counted() const;
  // Fills streams, total and, of a ramp, steps.
  void Finish(const LoadRequest& request, double seconds, LoadResult* result) const;

 private:
  struct Cell {
    StreamResult counts;
    std::vector<Sample> samples;
  };
  Cell& At(int step, int stream) {
    return cells_[static_cast<std::size_t>(step) * streams_ + static_cast<std::size_t>(stream)];
  }
  StreamResult Merge(const std::vector<const Cell*>& cells, double seconds) const;

  std::size_t streams_, steps_;
  std::vector<Cell> cells_;  // [steps, streams]
};

}  // namespace hone::load
