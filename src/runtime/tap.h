// A tap: the f32 rows that enter a layer's matrices, handed out while Forward computes. Calibration
// (pruning, GPTQ, AWQ, SmoothQuant) reads its statistics there.
//
// Usage
//   engine->SetTap([&](const TappedRows& rows) { …copy or sum what is wanted… });
//   engine->Forward({layer, layer + 1}, batch, hidden);
//   engine->SetTap({});  // off again: costs one comparison a product
//
// Threads  Called by all workers at once. For one layer and input their rows are disjoint and
//          together the whole batch: a copy to rows of one's own needs no lock, a sum needs one
//          place a worker. The rows may be read until the call returns.
// Numerics What a tap sees is not rounded to the engine's number format, but comes from products
//          that were. The outputs of Forward are the same bits with and without a tap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace hone::runtime {

enum class Tap : std::uint8_t {
  kQkvInput,     // [T,D]    after the attention norm where the norm comes first
  kOutputInput,  // [T,H·K]  what attention gives, head by head
  kUpInput,      // [T,D]
  kDownInput,    // [T,F]    activated, and gated where the feed-forward is
};
inline constexpr int kTapCount = 4;

struct TappedRows {
  int layer = 0;
  Tap tap = Tap::kQkvInput;
  int worker = 0;     // 0 … threads-1
  int first_row = 0;  // of the batch's tokens
  int rows = 0;
  int width = 0;
  const float* x = nullptr;  // row r at x + r·stride
  std::ptrdiff_t stride = 0;
};

using TapFunction = std::function<void(const TappedRows&)>;

}  // namespace hone::runtime
