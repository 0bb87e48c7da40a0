// Times every attention kernel of the list.
#pragma once

#include <string>
#include <vector>

#include "base/isa.h"

namespace hone::kernels {

struct AttentionTiming {
  std::string kernel;
  int heads = 0, head_size = 0, tokens = 0;
  double ns = 0;      // one thread, all heads, preparation included; the best of many
  double gflops = 0;  // 4 · heads · tokens² · head_size operations
};

// One row for each kernel usable under `limit` and each shape, `seconds` of time for each row.
std::vector<AttentionTiming> BenchAttention(double seconds, base::Isa limit);

}  // namespace hone::kernels
