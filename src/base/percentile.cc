#include "base/percentile.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace hone::base {

double Percentile(std::vector<double> values, double p) {
  if (values.empty()) return 0;
  const double place = p * static_cast<double>(values.size() - 1);
  const auto low = values.begin() + static_cast<std::ptrdiff_t>(std::floor(place));
  std::nth_element(values.begin(), low, values.end());
  const double weight = place - std::floor(place);
  if (weight == 0) return *low;
  return *low * (1 - weight) + *std::min_element(low + 1, values.end()) * weight;
}

}  // namespace hone::base
