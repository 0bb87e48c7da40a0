// One intent for the sentence and its slots, from the joint head's two outputs.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/tasks/sequence_classification.h"
#include "runtime/tasks/token_classification.h"

namespace hone::runtime {

struct JointResult {
  LabelScore intent;
  std::vector<Entity> slots;
};

// `slots` holds the slot logits; a word takes the label of its first token, as joint models are
// trained.
JointResult ReadJoint(std::span<const float> intent_logits, std::span<const std::string> intents,
                      const TokenLogits& slots, std::span<const std::string> slot_labels);

}  // namespace hone::runtime
