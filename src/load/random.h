// Random numbers that are the same on every machine and with every compiler: neither the standard
// library's distributions nor the C library's logarithm are.
//
//   Exponential  mean 1, by inverting its distribution:  -log(1 - U)
//   Normal       mean 0, variance 1, by the polar method
//   Gamma        shape a > 0, scale 1 (mean a, variance a); below 1 as  Gamma(a + 1) · U^(1/a)
//
// Source  Marsaglia, Bray 1964 (polar method); Marsaglia, Tsang
//         2000, "A simple method for generating gamma variables".
#pragma once

#include "base/split_mix64.h"

namespace hone::load {

class Random : public base::SplitMix64 {
 public:
  using SplitMix64::SplitMix64;

  double Exponential();
  double Normal();
  double Gamma(double shape);
};

// log and exp in plain arithmetic, which IEEE 754 fixes to the last bit (the library's own differ by an
// instruction set's fused products). Relative error below 1e-14; Log wants x > 0.
double Log(double x);
double Exp(double x);

}  // namespace hone::load
