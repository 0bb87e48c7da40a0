// Percentiles of repeated measurements.
#pragma once

#include <vector>

namespace hone::base {

// The p-th percentile (0 … 1) by linear interpolation between order statistics; 0 where there are
// none.
double Percentile(std::vector<double> values, double p);

// The mean of the middle fifth, from the 40th percentile to the 60th: a median that moves evenly where values
// come in few sizes. 0 where there are none.
double MiddleMean(std::vector<double> values);

}  // namespace hone::base
