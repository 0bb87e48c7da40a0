// SplitMix64: random numbers that are the same on every machine and with every compiler, which the standard
// library's distributions are not.
//
// Source  Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators".
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/check.h"

namespace hone::base {

// Number i (from 1) of the stream that begins with `seed` is MixBits(seed + i · kSplitMixStep).
inline constexpr std::uint64_t kSplitMixStep = 0x9E3779B97F4A7C15u;

constexpr std::uint64_t MixBits(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

class SplitMix64 {
 public:
  explicit constexpr SplitMix64(std::uint64_t seed) : state_(seed) {}

  constexpr std::uint64_t Next() { return MixBits(state_ += kSplitMixStep); }
  // Of [0, count), count > 0. The remainder's bias, below count / 2^64, is nothing here.
  std::size_t Below(std::size_t count) {
    HONE_CHECK(count > 0);
    return static_cast<std::size_t>(Next() % count);
  }
  // Of [0, 1), a multiple of 2^-53.
  constexpr double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

 private:
  std::uint64_t state_;
};

}  // namespace hone::base
