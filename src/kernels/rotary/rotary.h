// Rotary position embedding, the rotate-half convention (element i turns with element i + K/2):
//
//   angle = position · θ^(-2i/K)                                      i < K/2
//   x[i]       ←  x[i] · cos angle - x[i + K/2] · sin angle
//   x[i + K/2] ←  x[i + K/2] · cos angle + x[i] · sin angle
//
// Shapes    x [T, heads·K] f32, row r at r·stride, in place · positions [T] < max_tokens of the
//           table
// Use       q and k stand side by side in the fused QKV matrix: one call with twice the heads
// Numerics  angles in double when the table is built; an element's result depends on its head alone
// Scratch   none.      Threads  any split of T
// Errors    none at run time; an odd K is a CHECK when the table is built
// Source    Su et al. 2021, arXiv:2104.09864, in the form of GPT-NeoX
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hone::kernels {

struct RotaryTable {
  int head_size = 0;
  int max_tokens = 0;
  std::vector<float> cos, sin;  // [max_tokens, K/2]
};

RotaryTable BuildRotaryTable(float theta, int head_size, int max_tokens);

void ApplyRotary(const RotaryTable& table, const std::int32_t* positions, int rows, int heads,
                 float* x, std::ptrdiff_t stride);
void ApplyRotaryRef(const RotaryTable& table, const std::int32_t* positions, int rows, int heads,
                    float* x, std::ptrdiff_t stride);

}  // namespace hone::kernels
