// A linear layer ready to multiply: packed weights in the engine's arena, and the bias in f32.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/status.h"
#include "kernels/matmul/matmul.h"
#include "model/weights.h"

namespace hone::runtime {

struct PackedLinear {
  const kernels::MatMulKernel* kernel = nullptr;
  int n = 0, k = 0;
  const std::byte* packed = nullptr;  // in the arena
  std::vector<float> bias;            // [N], or empty

  bool empty() const { return n == 0; }
  int panels() const { return kernels::Panels(n, kernel->tile_n); }
  // Where a panel lies, in formats that have one after the other.
  std::size_t panel_bytes() const {
    return kernel->packed_bytes(n, k) / static_cast<std::size_t>(panels());
  }
  std::size_t prepared_bytes() const { return kernel->prepared_bytes(k); }
};

// What is still to be packed: the parts of one matrix (several where Q, K and V are fused).
struct PackJob {
  std::vector<const model::Linear*> parts;
  PackedLinear* target = nullptr;
  std::size_t offset = 0;  // in the arena
};

// Gathers, checks, converts and packs one matrix into arena + job.offset, and its bias. Gives the
// source's pages back to the system afterwards.
base::Status Pack(const PackJob& job, const formats::Checkpoint& checkpoint, std::byte* arena);

}  // namespace hone::runtime
