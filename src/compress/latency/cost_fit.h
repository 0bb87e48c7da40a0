// From times of whole passes to costs of their parts.
//
//   ms_i ≈ fixed + Σ_layers attention(heads) + ffn(columns)
//
// Least squares of the relative errors over many sampled shapes; ffn is linear between its knots, and
// neighbouring sizes are drawn towards a straight line, because what lies between two samples is no
// step. Costs never fall with size. Since every layer has one block of either kind, a constant could
// move between them: a block that is gone costs the same in both.
#pragma once

#include <span>
#include <utility>
#include <vector>

namespace hone::compress {

struct CostSample {
  std::vector<std::pair<int, int>> layers;  // heads, columns
  double ms = 0;
};

struct FittedCosts {
  double fixed_ms = 0;
  std::vector<double> attention_ms;  // of 0, 1, … heads
  std::vector<double> ffn_ms;        // at the knots
  double spread = 0;                 // median of |predicted / measured - 1|
};

// `knots` ascend from 0 and reach the largest width of a sample. HONE_CHECKs that there are samples.
FittedCosts FitCosts(std::span<const CostSample> samples, int heads, std::span<const int> knots);

}  // namespace hone::compress
