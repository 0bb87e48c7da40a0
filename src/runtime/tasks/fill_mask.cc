#include "runtime/tasks/fill_mask.h"

#include "base/check.h"
#include "runtime/tasks/scores.h"

namespace hone::runtime {

std::vector<TokenScore> FillMask(std::span<const float> logits, int count,
                                 std::span<const std::int32_t> targets) {
  const std::vector<float> scores = Softmax(logits);
  std::vector<float> wanted;
  for (const std::int32_t target : targets) {
    HONE_CHECK(target >= 0 && static_cast<std::size_t>(target) < scores.size());
    wanted.push_back(scores[static_cast<std::size_t>(target)]);
  }
  const std::vector<float>& candidates = targets.empty() ? scores : wanted;
  std::vector<TokenScore> out;
  for (const int i : TopIndices(candidates, count)) {
    const auto index = static_cast<std::size_t>(i);
    out.push_back({targets.empty() ? i : targets[index], candidates[index]});
  }
  return out;
}

}  // namespace hone::runtime
