#include "load/random.h"

#include <cmath>

namespace hone::load {
namespace {

// ln 2 in two parts: the first has 33 bits, so that its product with an exponent is exact.
constexpr double kLn2High = 0x1.62e42feep-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;

}  // namespace

double Log(double x) {
  // x = m · 2^e with m near 1;  log m = 2 atanh(s),  s = (m - 1) / (m + 1),  |s| ≤ 0.172.
  int e = 0;
  double m = std::frexp(x, &e);
  if (m < 0.70710678118654752) {
    m *= 2;
    --e;
  }
  const double s = (m - 1) / (m + 1), square = s * s;
  double sum = 0;
  for (int k = 23; k >= 1; k -= 2) sum = sum * square + 1.0 / k;  // the next term is below 1e-20
  return e * kLn2High + (2 * s * sum + e * kLn2Low);
}

double Exp(double x) {
  if (x < -745) return 0;
  if (x > 709) return HUGE_VAL;
  const double n = std::floor(x / kLn2High + 0.5);
  const double r = (x - n * kLn2High) - n * kLn2Low;  // |r| ≤ 0.35
  double sum = 1;
  for (int k = 15; k >= 1; --k) sum = 1 + sum * r / k;  // Taylor; the next term is below 1e-20
  return std::ldexp(sum, static_cast<int>(n));
}

double Random::Exponential() {
  return -Log(1 - Unit());
}

double Random::Normal() {
  for (;;) {
    const double x = 2 * Unit() - 1, y = 2 * Unit() - 1, square = x * x + y * y;
    if (square > 0 && square < 1) return x * std::sqrt(-2 * Log(square) / square);
  }
}

double Random::Gamma(double shape) {
  if (shape < 1) {
    const double larger = Gamma(shape + 1);
    return larger * Exp(Log(1 - Unit()) / shape);
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = Normal(), root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    if (Log(1 - Unit()) < 0.5 * x * x + d - d * v + d * Log(v)) return d * v;
  }
}

}  // namespace hone::load
