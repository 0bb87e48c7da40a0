// Percentiles of repeated measurements.
#pragma once

#include <vector>

namespace hone::base {

// The p-th percentile (0 … 1) by linear interpolation between order statistics; 0 where there are
// none.
double Percentile(std::vector<double> values, double p);

}  // namespace hone::base
