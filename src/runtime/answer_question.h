// Extractive question answering over a context of any length: overlapping windows through the
// model.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "runtime/tasks/question_answering.h"
#include "runtime/text_model.h"

namespace hone::runtime {

// Cuts an encoded pair whose second text is too long into windows of at most `max_tokens`: each
// keeps what stands before and after the context (question, special tokens), and shares `stride`
// context tokens with its neighbour. An error where the question leaves no room for the context.
base::StatusOr<std::vector<text::Encoding>> CutIntoWindows(const text::Encoding& pair,
                                                           int max_tokens, int stride);

// Best answers first. `stride` as above; the usual is 128.
base::StatusOr<std::vector<Answer>> AnswerQuestion(TextModel& model, std::string_view question,
                                                   std::string_view context, int stride,
                                                   const AnswerOptions& options);

}  // namespace hone::runtime
