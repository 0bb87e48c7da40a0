#include "kernels/activation.h"

#include <cmath>
#include <numbers>

#include "base/check.h"

namespace hone::kernels {

float ActivateRef(Activation activation, float x) {
  const double v = x;
  switch (activation) {
    case Activation::kNone: return x;
    case Activation::kGelu:
      // erfc keeps its relative precision in the left tail, where 1 + erf would cancel.
      return static_cast<float>(v / 2 * std::erfc(-v / std::numbers::sqrt2));
    case Activation::kGeluTanh: {
      const double inner = std::sqrt(2 / std::numbers::pi) * (v + 0.044715 * v * v * v);
      return static_cast<float>(v / 2 * (1 + std::tanh(inner)));
    }
    case Activation::kRelu: return x > 0 ? x : (std::isnan(x) ? x : 0.0f);
    case Activation::kSilu: return static_cast<float>(v / (1 + std::exp(-v)));
    case Activation::kTanh: return static_cast<float>(std::tanh(v));
  }
  HONE_CHECK(false);
}

}  // namespace hone::kernels
