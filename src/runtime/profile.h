// Where the time of a forward pass goes, by layer and operation.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace hone::runtime {

enum class Op : std::uint8_t {
  kEmbed,
  kQkv,
  kAttention,
  kOutput,
  kUp,
  kDown,
  kNorm,
  kEncode,  // activations into a kernel's own number format
  kOther,   // rotary embedding, gates
  kWait,    // for tasks of other workers
};
inline constexpr int kOpCount = 10;

std::string_view NameOf(Op op);

// One worker's sums; a worker writes only its own. Layer L holds what belongs to no layer.
struct WorkerProfile {
  std::vector<std::array<std::int64_t, kOpCount>> ns;  // [L+1][op]
};

// Sums over all workers since StartProfile. `flops` counts multiply and add as two.
struct ProfileRow {
  int layer = 0;  // -1: none
  Op op = Op::kOther;
  double seconds = 0;  // of all workers together
  double flops = 0;
};

}  // namespace hone::runtime
