// How a task gives an example's text to a model: what evaluation, training, calibration and timing share.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eval/tasks.h"

namespace hone::eval {

// Tokens that neighbouring windows of a long context share (question answering).
inline constexpr int kAnswerStride = 128;

// The text is Example::words; Example::text is empty.
inline bool TakesWords(const Task& task) {
  return task.output == Output::kTags || task.output == Output::kJoint;
}

// The words joined by blanks; `begins`, where not null, gets the byte at which each begins.
std::string JoinWords(std::span<const std::string> words,
                      std::vector<std::uint32_t>* begins = nullptr);

}  // namespace hone::eval
