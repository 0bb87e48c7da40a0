// From logits to probabilities and from vectors to likeness, as every task needs them. Sums in
// double.
#pragma once

#include <span>
#include <vector>

namespace hone::runtime {

// e^(x_i - max) / Σ e^(x_j - max)
std::vector<float> Softmax(std::span<const float> logits);

// 1 / (1 + e^-x)
float Sigmoid(float x);

// a·b / (|a| |b|), or 0 where either is zero. Both of one size (a CHECK).
double Cosine(std::span<const float> a, std::span<const float> b);

// The index of the largest value, the first of equals. values must not be empty.
int ArgMax(std::span<const float> values);

// The indices of the `count` largest values (or of all, where there are fewer), largest first, the
// lower index first among equals.
std::vector<int> TopIndices(std::span<const float> values, int count);

}  // namespace hone::runtime
