// The machine's limits and the kernels' shares of them, as rows to print.
#pragma once

#include <string>
#include <vector>

#include "base/isa.h"
#include "quant/format.h"

namespace hone::bench {

struct Limit {
  std::string what;
  int threads = 1;
  double value = 0;
  std::string unit;
  double share = 0;  // of the peak; 0 where the row is itself a limit, or has none
};

// Peak of every instruction this processor runs, one thread, and DRAM read bandwidth of 1 and of
// `threads` threads.
std::vector<Limit> MeasureRoofline(int threads);

// Every usable matrix product kernel on the encoders' shapes, `threads` threads; then every usable
// attention kernel, one thread.
std::vector<Limit> MeasureKernels(int threads);

// Operations a second of one thread at the peak of the kernel that `isa` selects for `format`.
double PeakFlops(quant::Format format, base::Isa isa);

}  // namespace hone::bench
