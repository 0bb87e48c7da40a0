// From snapshots to a model of a wanted latency: levels chosen by the search within a budget of the
// device profile's times, the model put together and timed for real, and the budget corrected by
// what was measured, until the time is right.
//
// The profile only ranks shapes well; the clock has the last word. So a first choice (all
// sensitivities equal) is timed before the search, and what the search found after it, several times:
// on a machine that is not idle one timing is off by more than a target allows. Where the latency jumps
// (shapes on either side of the target, predicted alike, of which one is worth a second thread) the
// budgets between them are tried.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "compress/draft.h"
#include "compress/latency/device_profile.h"
#include "compress/prune/snapshots.h"
#include "compress/search/budget_search.h"

namespace hone::compress {

// p50 of the dense model in f32 and of the candidate, taken in turn.
struct TimedPair {
  double dense_ms = 0;
  double candidate_ms = 0;
};

// What a model is judged by, with the number formats of each block, in the order of the snapshots.
// Plain functions, so that a test needs no clock.
using BlockFormats = std::vector<BlockFormat>;
struct CandidateJudges {
  std::function<base::StatusOr<TimedPair>(const Draft&, const BlockFormats&)> time;
  std::function<base::StatusOr<double>(const Draft&, const BlockFormats&)> loss;
};

struct PruneTarget {
  double speedup = 0;     // over the dense model in f32, or
  double latency_ms = 0;  // p50
};

struct PruneToTargetOptions {
  std::vector<quant::Format> formats;  // that matrices may have
  int candidates = 300;
  std::uint64_t seed = 1;
  double tolerance = 0.02;     // of the latency, either way
  int least_timings = 3;       // of one choice, whose middle is within the tolerance
  int most_timings = 8;        // of all that the search found, after which the nearest counts
  std::function<bool()> stop;  // the search is out of time; may be empty
  // A step in words, and candidates done of all; may be empty.
  std::function<void(const std::string& what, int done, int total)> progress;
  // Every loss computed: predicted milliseconds and loss; may be empty.
  std::function<void(double predicted_ms, double loss)> point;
};

struct PrunedDraft {
  Draft draft;
  Assignment assignment;
  BlockFormats formats;
  double loss = 0;
  double predicted_ms = 0;
  TimedPair timed;  // of this very draft, one of its timings
  int candidates = 0;
};

// The options of every block: its levels in each pair of formats, with the profile's times. Errors have
// one term, or three where there are several formats: removal, rounding `in`, rounding `out`. An error
// where the profile lacks a format.
base::StatusOr<std::vector<std::vector<BlockOption>>> MakeOptions(
    std::span<const BlockSnapshots> snapshots, const DeviceProfile& profile,
    std::span<const quant::Format> formats, bool gated_ffn);

// NotFound where no choice can be fast enough; the message says what is possible.
base::StatusOr<PrunedDraft> PruneToTarget(const Draft& draft,
                                          const std::vector<BlockSnapshots>& snapshots,
                                          const DeviceProfile& profile, const PruneTarget& target,
                                          const CandidateJudges& judges,
                                          const PruneToTargetOptions& options);

}  // namespace hone::compress
