// The machine's limits and the kernels' shares of them, as rows to print.
#pragma once

#include <cstdint>
#include <functional>
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

// Called as rows are measured; may be empty.
using MeasureProgress = std::function<void(std::int64_t done, std::int64_t total)>;

// Peak of every instruction of `isa` and the levels below it, one thread, and DRAM read bandwidth of
// 1 and of `threads` threads.
std::vector<Limit> MeasureRoofline(int threads, base::Isa isa);

// Every matrix product kernel of those levels on the encoders' shapes, `threads` threads; then every
// attention kernel of them, one thread.
std::vector<Limit> MeasureKernels(int threads, base::Isa isa, const MeasureProgress& progress);

// Operations a second of one thread at the peak of the kernel that `isa` selects for `format`.
double PeakFlops(quant::Format format, base::Isa isa);

}  // namespace hone::bench
