// Times the kernels of the list on given shapes, against the peak of their own instruction.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "kernels/activation.h"
#include "kernels/matmul/matmul.h"

namespace hone::kernels {

struct MatMulShape {
  int m, n, k;
};

// The products of MiniLM-L6 (D 384, F 1536) and BERT-base (D 768, F 3072) at M rows.
std::vector<MatMulShape> EncoderShapes(int m);

struct MatMulTiming {
  std::string_view kernel;
  MatMulShape shape;
  int threads = 1;
  double multiply_s = 0;  // the best of many repetitions
  double prepare_s = 0;   // encoding the M rows, one thread
  double gops = 0;        // 2·M·N·K / multiply_s / 1e9
  double share = 0;       // of threads × the instruction's peak; 0 where that is not known
};

// Every kernel usable under `limit` whose name contains `filter`, on every shape. `seconds` for each
// pair.
std::vector<MatMulTiming> BenchMatMul(std::string_view filter, std::span<const MatMulShape> shapes,
                                      int threads, Activation activation, double seconds,
                                      base::Isa limit);

}  // namespace hone::kernels
