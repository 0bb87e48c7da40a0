// Labels of a text from a classifier's logits, as transformers' text-classification pipeline gives
// them.
//
//   single label  softmax
//   multi-label   sigmoid of each
//   regression    the logits themselves
//
// One difference: a single logit without a stated problem_type is a regression here (model/head.h),
// and the pipeline applies a sigmoid to it; ScoreLabels takes the function for whoever wants that.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/head.h"

namespace hone::runtime {

enum class ScoreFunction { kSoftmax, kSigmoid, kNone };

ScoreFunction ScoreFunctionOf(model::ProblemType problem);

struct LabelScore {
  std::string_view label;  // one of `labels`
  float score = 0;
};

// The best `count` labels, best first; all of them for a count of 0.
// logits.size() == labels.size().
std::vector<LabelScore> ScoreLabels(std::span<const float> logits,
                                    std::span<const std::string> labels, ScoreFunction function,
                                    int count);

}  // namespace hone::runtime
