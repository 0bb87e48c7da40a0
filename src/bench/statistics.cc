#include "bench/statistics.h"

#include <algorithm>
#include <cmath>

namespace hone::bench {

double Percentile(std::vector<double> values, double p) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const double place = p * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(std::floor(place));
  const std::size_t high = std::min(low + 1, values.size() - 1);
  const double weight = place - std::floor(place);
  return values[low] * (1 - weight) + values[high] * weight;
}

}  // namespace hone::bench
