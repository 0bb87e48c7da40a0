#include "runtime/tasks/sequence_classification.h"

#include "base/check.h"
#include "runtime/tasks/scores.h"

namespace hone::runtime {

ScoreFunction ScoreFunctionOf(model::ProblemType problem) {
  switch (problem) {
    case model::ProblemType::kSingleLabel: return ScoreFunction::kSoftmax;
    case model::ProblemType::kMultiLabel: return ScoreFunction::kSigmoid;
    case model::ProblemType::kRegression: return ScoreFunction::kNone;
  }
  HONE_CHECK(false);
}

std::vector<LabelScore> ScoreLabels(std::span<const float> logits,
                                    std::span<const std::string> labels, ScoreFunction function,
                                    int count) {
  HONE_CHECK(logits.size() == labels.size());
  std::vector<float> scores(logits.begin(), logits.end());
  if (function == ScoreFunction::kSoftmax) scores = Softmax(logits);
  if (function == ScoreFunction::kSigmoid) {
    for (float& score : scores) score = Sigmoid(score);
  }
  std::vector<LabelScore> out;
  for (const int i : TopIndices(scores, count == 0 ? static_cast<int>(scores.size()) : count)) {
    const auto index = static_cast<std::size_t>(i);
    out.push_back({labels[index], scores[index]});
  }
  return out;
}

}  // namespace hone::runtime
