#include "server/dispatch/histogram.h"

#include <algorithm>

namespace hone::server {

Histogram MakeHistogram() {
  Histogram histogram;
  histogram.bounds_ms = {0.1, 0.25, 0.5, 1,   2.5,  5,    10,   25,
                         50,  100,  250, 500, 1000, 2500, 5000, 10000};
  histogram.counts.assign(histogram.bounds_ms.size() + 1, 0);
  return histogram;
}

void Count(double ms, Histogram* histogram) {
  // A value on a bound counts below it, as Prometheus' "le" says.
  const auto bucket = std::ranges::lower_bound(histogram->bounds_ms, ms);
  ++histogram->counts[static_cast<std::size_t>(bucket - histogram->bounds_ms.begin())];
  histogram->sum_ms += ms;
}

}  // namespace hone::server
