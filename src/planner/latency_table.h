// How long a batch takes: measured on a grid of lengths and texts, read between, corrected by what is
// seen later.
//
//   expected(B, T) = correction · grid(T/B, B)        B texts of T tokens in all
//
// Between grid points the time is linear in the length and in the number of texts; beyond the last,
// in proportion to the tokens; a shorter text than the first takes as long as that. The correction
// follows the ratio of seen to expected time, an exponential mean over batches, within [1/4, 4]: the
// table's shape is the device's, its level the day's. What was seen is of the past after a while: half
// of the correction fades in kCorrectionHalfLifeNs without a batch. (Kept for ever, a slow moment would
// refuse the very requests that could show that it is over.)
//
// Cost           Predict: a few dozen nanoseconds, no allocation.
// Thread-safety  none; whoever schedules owns it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "base/time_ns.h"

namespace hone::planner {

struct LatencyGrid {
  std::vector<int> lengths;  // tokens of each text; ascending, at least one
  std::vector<int> texts;    // in a batch; ascending, the first is 1
  std::vector<double> ms;    // [lengths, texts], above 0
};

inline constexpr base::TimeNs kCorrectionHalfLifeNs = 30 * base::kSecondNs;

class LatencyTable {
 public:
  // An error names the axis or the cell that is wrong.
  static base::StatusOr<LatencyTable> FromGrid(LatencyGrid grid);

  base::TimeNs Predict(int texts, int tokens) const;
  // A batch that was expected to take Predict(texts, tokens) took `seen`, and ended at `now`.
  void Observe(int texts, int tokens, base::TimeNs seen, base::TimeNs now);
  // Predict is as of `now` from here on: cheap, and without effect within a second of a batch.
  void Age(base::TimeNs now);

  const LatencyGrid& grid() const { return grid_; }
  double correction() const { return correction_; }

 private:
  explicit LatencyTable(LatencyGrid grid);
  double GridMs(int texts, int tokens) const;

  LatencyGrid grid_;
  std::vector<double> rising_ms_;  // the grid's, made to rise along both axes
  double correction_ = 1;
  base::TimeNs corrected_at_ = 0;
};

// {"lengths": […], "texts": […], "ms": [[…], …]}, and back. `source` names the text in errors.
std::string ToJson(const LatencyGrid& grid);
base::StatusOr<LatencyGrid> ParseLatencyGrid(std::string_view json, std::string_view source);
// The same of a part of a larger document.
base::StatusOr<LatencyGrid> ReadLatencyGrid(const base::JsonValue& object);

}  // namespace hone::planner
