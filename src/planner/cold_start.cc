#include "planner/cold_start.h"

namespace hone::planner {

double LoadWorkMs(double seen_ms, int threads, std::uint64_t bytes) {
  constexpr double kBytesPerMs = 0.5e6;
  const double ms = seen_ms > 0 ? seen_ms : 1 + static_cast<double>(bytes) / kBytesPerMs;
  return ms * threads;
}

double ExpectedLoadMs(double work_ms) {
  constexpr double kBeginMs = 2;      // that a thread of lowest priority takes to begin
  constexpr double kOthersShare = 2;  // it has half of a core, where others leave that much
  return kBeginMs + work_ms * kOthersShare;
}

bool MayWait(double load_ms, base::TimeNs compute_ns, base::TimeNs now, base::TimeNs deadline) {
  const auto load_ns = static_cast<base::TimeNs>(load_ms * base::kMillisecondNs);
  return now + load_ns + compute_ns <= deadline;
}

}  // namespace hone::planner
