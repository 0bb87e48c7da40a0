// A model as an eval::Predictor: texts through tokenizer, engine and head, logits to predictions.
#pragma once

#include "base/status.h"
#include "eval/run.h"
#include "eval/tasks.h"
#include "runtime/text_model.h"

namespace hone::eval {

// The predictor keeps a reference to `model`, which must outlive it. Errors: a head that cannot do
// the task, labels that do not match the task's (both lists are named).
//
//   kLabel   the best label of a sequence classifier
//   kScore   a regression's or cross-encoder's value, or the cosine of two embeddings
//   kAnswer  the best span over windows of 128 shared tokens; none allowed where the task has none
//   kTags    for each word the best label of its first token
//   kJoint   the joint head's best intent, and slots as kTags
base::StatusOr<Predictor> MakePredictor(const Task& task, runtime::TextModel& model);

}  // namespace hone::eval
