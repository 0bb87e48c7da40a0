// A stream of pseudo-random numbers that is the same on every machine and with every compiler,
// which the standard library's distributions are not. Source  Steele, Lea, Flood 2014 (SplitMix64).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"

namespace hone::demo {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  // Of [0, count). The remainder's bias, below count / 2^64, is nothing here.
  std::size_t Below(std::size_t count) {
    HONE_CHECK(count > 0);
    return static_cast<std::size_t>(Next() % count);
  }
  int Between(int low, int high) {  // both inclusive
    return low + static_cast<int>(Below(static_cast<std::size_t>(high - low) + 1));
  }
  // Of [0, 1), a multiple of 2^-53.
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  bool Chance(double probability) { return Unit() < probability; }

  template <typename T>
  const T& Pick(const std::vector<T>& from) {
    return from[Below(from.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace hone::demo
