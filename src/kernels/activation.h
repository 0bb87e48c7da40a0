// Element-wise activations that a matrix product or a gate applies to its output.
//
//   kGelu      x · Φ(x) = x/2 · (1 + erf(x/√2))    exact; error ≤ 2e-6 absolute + 2e-6 relative
//   kGeluTanh  x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))
//   kRelu      max(x, 0)
//   kSilu      x / (1 + e^-x)
//   kTanh      tanh x
//
// Source  Hendrycks, Gimpel 2016, arXiv:1606.08415.
#pragma once

#include <cstdint>

namespace hone::kernels {

enum class Activation : std::uint8_t { kNone, kGelu, kGeluTanh, kRelu, kSilu, kTanh };

// The scalar definition, in double where it matters; the oracle of every vector version.
float ActivateRef(Activation activation, float x);

}  // namespace hone::kernels
