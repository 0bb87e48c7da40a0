// A stream of pseudo-random choices that is the same on every machine (base/split_mix64.h).
#pragma once

#include <cstddef>
#include <vector>

#include "base/split_mix64.h"

namespace hone::demo {

class Random : public base::SplitMix64 {
 public:
  using SplitMix64::SplitMix64;

  int Between(int low, int high) {  // both inclusive
    return low + static_cast<int>(Below(static_cast<std::size_t>(high - low) + 1));
  }
  bool Chance(double probability) { return Unit() < probability; }

  template <typename T>
  const T& Pick(const std::vector<T>& from) {
    return from[Below(from.size())];
  }
};

}  // namespace hone::demo
