#include "planner/learnt_latency.h"

#include <algorithm>

namespace hone::planner {
namespace {

constexpr int kEnough = 64;
// Then what was seen counts half, so that the factor follows a device that changes.
constexpr int kFull = 8192;
constexpr double kMaxFactor = 4;

}  // namespace

void LearntLatency::Observe(int texts, int tokens, base::TimeNs seen) {
  if (seen <= 0) return;
  if (batches_ == kFull) {
    seen_ns_ /= 2;
    expected_ns_ /= 2;
    batches_ /= 2;
  }
  seen_ns_ += static_cast<double>(seen);
  expected_ns_ += static_cast<double>(measured_.Predict(texts, tokens));
  ++batches_;
}

double LearntLatency::factor() const {
  if (batches_ < kEnough || expected_ns_ <= 0) return 1;
  return std::clamp(seen_ns_ / expected_ns_, 1 / kMaxFactor, kMaxFactor);
}

LatencyGrid LearntLatency::grid() const {
  LatencyGrid grid = measured_.grid();
  for (double& ms : grid.ms) ms *= factor();
  return grid;
}

}  // namespace hone::planner
