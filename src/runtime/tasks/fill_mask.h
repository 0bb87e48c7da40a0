// The most probable tokens at each mask, as transformers' fill-mask pipeline gives them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hone::runtime {

struct TokenScore {
  std::int32_t token = 0;
  float score = 0;  // softmax over the whole vocabulary
};

// logits [V] of one mask. `targets` limits the answer to these tokens; empty: to none.
std::vector<TokenScore> FillMask(std::span<const float> logits, int count,
                                 std::span<const std::int32_t> targets = {});

}  // namespace hone::runtime
