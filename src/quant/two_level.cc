#include "quant/two_level.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "quant/int4.h"

namespace hone::quant {
namespace {

bool Fits(std::span<const float> group_scale, float scale, std::span<std::uint8_t> s) {
  for (std::size_t g = 0; g < group_scale.size(); ++g) {
    const float ratio = std::nearbyint(group_scale[g] / scale);
    if (!(ratio >= 1 && ratio <= kMaxGroupScale) || scale * ratio != group_scale[g]) return false;
    s[g] = static_cast<std::uint8_t>(ratio);
  }
  return true;
}

}  // namespace

bool TwoLevelFromGroupScales(std::span<const float> group_scale, float* scale,
                             std::span<std::uint8_t> s) {
  HONE_CHECK(group_scale.size() == s.size() && !s.empty());
  float largest = 0;
  for (const float x : group_scale) {
    if (!std::isfinite(x) || x < 0) return false;
    largest = std::max(largest, x);
  }
  if (largest == 0) {
    *scale = 0;
    std::fill(s.begin(), s.end(), std::uint8_t{1});
    return true;
  }
  // The largest group scale is scale · s for some s. Its quotient by s may be a rounding away from
  // the scale that was multiplied, so that the neighbours are tried too.
  for (int factor = 1; factor <= kMaxGroupScale; ++factor) {
    const float quotient = largest / static_cast<float>(factor);
    for (const float candidate :
         {quotient, std::nextafter(quotient, 0.0f), std::nextafter(quotient, largest)}) {
      if (candidate > 0 && Fits(group_scale, candidate, s)) {
        *scale = candidate;
        return true;
      }
    }
  }
  return false;
}

}  // namespace hone::quant
