// Random numbers that are the same on every machine and with every compiler: neither the standard
// library's distributions nor the C library's logarithm are.
//
//   Unit         uniform in [0, 1), a multiple of 2^-53
//   Exponential  mean 1, by inverting its distribution:  -log(1 - U)
//   Normal       mean 0, variance 1, by the polar method
//   Gamma        shape a > 0, scale 1 (mean a, variance a); below 1 as  Gamma(a + 1) · U^(1/a)
//
// Source  Steele, Lea, Flood 2014 (SplitMix64); Marsaglia, Bray 1964 (polar method); Marsaglia, Tsang
//         2000, "A simple method for generating gamma variables".
#pragma once

#include <cstddef>
#include <cstdint>

namespace hone::load {

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
  // Of [0, count), count > 0. The remainder's bias, below count / 2^64, is nothing here.
  std::size_t Below(std::size_t count) { return static_cast<std::size_t>(Next() % count); }
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  double Exponential();
  double Normal();
  double Gamma(double shape);

 private:
  std::uint64_t state_;
};

// log and exp in plain arithmetic, which IEEE 754 fixes to the last bit (the library's own differ by an
// instruction set's fused products). Relative error below 1e-14; Log wants x > 0.
double Log(double x);
double Exp(double x);

}  // namespace hone::load
