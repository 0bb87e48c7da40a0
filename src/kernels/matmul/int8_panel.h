// One panel of int8 weights as the VNNI products take it: from an int8 matrix as it lies in memory, from
// an int4 matrix once its panel is expanded.
//
//   in memory  int32 offset [columns], f32 scale [columns], then what the format packs
//   weights    int8 [steps][columns][4]: a step is four values of k. Zeros beyond K and beyond N.
//   offset     -128 · Σ_k of each column: activations are q + 128, since vpdpbusd takes unsigned × signed
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/matmul.h"

namespace hone::kernels {

struct Int8Panel {
  const std::byte* weights = nullptr;  // aligned to a vector
  int steps = 0;
  const std::int32_t* offset = nullptr;
  const float* scale = nullptr;
  Upcoming next = {};  // fetched into L2 meanwhile
};

// The panel of `bytes` at `packed`, which another follows or else what the caller says comes `next`. The
// padding that `weights` may have beyond K is not multiplied.
inline Int8Panel Int8PanelAt(const std::byte* packed, std::size_t bytes, bool another,
                             const Upcoming& next, int columns, int k, const std::byte* weights) {
  Int8Panel panel;
  panel.weights = weights;
  panel.steps = (k + 3) / 4;
  panel.offset = reinterpret_cast<const std::int32_t*>(packed);
  panel.scale = reinterpret_cast<const float*>(packed) + columns;
  panel.next = AfterPanel(packed, bytes, another, next);
  return panel;
}

}  // namespace hone::kernels
