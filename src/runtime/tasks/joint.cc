#include "runtime/tasks/joint.h"

namespace hone::runtime {

JointResult ReadJoint(std::span<const float> intent_logits, std::span<const std::string> intents,
                      const TokenLogits& slots, std::span<const std::string> slot_labels) {
  JointResult result;
  result.intent = ScoreLabels(intent_logits, intents, ScoreFunction::kSoftmax, 1).front();
  result.slots = FindEntities(slots, slot_labels, Aggregation::kFirst);
  return result;
}

}  // namespace hone::runtime
