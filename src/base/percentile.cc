#include "base/percentile.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

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

double MiddleMean(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t begin = (values.size() - 1) * 2 / 5;
  const std::size_t end = values.size() - begin;
  return std::accumulate(values.begin() + static_cast<std::ptrdiff_t>(begin),
                         values.begin() + static_cast<std::ptrdiff_t>(end), 0.0) /
         static_cast<double>(end - begin);
}

}  // namespace hone::base
