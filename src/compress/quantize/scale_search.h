// Which scales of a matrix's inputs (fold.h) lower the error of its outputs, when both weights and
// activations are rounded. Tried, each normalised to a geometric mean of 1 over its extremes:
//
//   int4  AWQ          s_j = rms(x_j)^a                        a = 0.05, 0.10, … 0.95
//   int8  SmoothQuant  s_j = max|x_j|^a / max|w_j|^(1-a)       a = 0.5, 0.6, 0.7, 0.8
//
// (AWQ's own statistic is mean|x_j|; the root mean square ranks channels alike and weighs outliers
// as the squared error does.) The error is measured on real rows: ‖Q(x/s)·Q(W·s)ᵀ - x·Wᵀ‖², with
// int8 activations a row and weights rounded to nearest.
//
// Source  AWQ, arXiv:2306.00978, eq. 4 and 5; SmoothQuant, arXiv:2211.10438, eq. 4.
#pragma once

#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "quant/format.h"

namespace hone::compress {

struct ScaledMatrix {
  std::vector<float> weights;  // [n,k]
  int n = 0;
  quant::Format format = quant::Format::kInt8;  // others are left out of the error
};

struct ScaleChoice {
  std::vector<float> scale;      // [k]; empty: no scales are better than these
  double before = 0, after = 0;  // relative squared errors
};

// rows [T,k]: inputs that all the matrices read.
ScaleChoice SearchScale(std::span<const float> rows, int k, std::span<const ScaledMatrix> matrices,
                        float smooth, base::ThreadPool& pool);

}  // namespace hone::compress
