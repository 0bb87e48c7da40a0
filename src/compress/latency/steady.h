// Tells a disturbed timing from an undisturbed one, by the dense model that every candidate is compared with.
//
// Passes in turn make a ratio fair where a disturbance meets both models alike. Some do not: a virtual machine
// whose processors the host moves apart (a line of cache then takes 350 ns from one to the other, not 100) needed
// 1.8 times as long for a tiny dense model on two threads, and no longer for a rung on one, for 3 to 15 seconds,
// a fifth of the time. The rung then was "13.8 times as fast", not 8 (docs/benchmarks-compression.md).
#pragma once

#include <deque>
#include <functional>

#include "compress/latency/latency.h"

namespace hone::compress {

class SteadyTimer {
 public:
  static constexpr double kAlike = 0.05;  // of the dense model's p50, either way
  static constexpr int kMostTimes = 8;
  static constexpr std::size_t kLatest = 16;

  // Calls `time` until the dense model's p50 is what it usually is, at most kMostTimes. Of these timings the one
  // in which it was nearest to that.
  LatencyPair Time(const std::function<LatencyPair()>& time);

  // The dense model's usual p50: the lower quartile of the latest kLatest timings, those not taken included. A
  // quartile, since disturbances only slow it; the latest, so that of a machine that stays slower (it grew hot)
  // the new one is soon the usual. 0 before the first.
  double usual_ms() const;

 private:
  std::deque<double> latest_ms_;
};

}  // namespace hone::compress
