// Two logits for each token: that the answer starts there, and that it ends there.
#include "model/heads/head_kind.h"

namespace hone::model {
namespace {

base::StatusOr<Head> Bind(const HeadSource& source) {
  Head head;
  head.task = Task::kQuestionAnswering;
  HeadOutput output{.name = "logits", .rows = Rows::kAll};
  HONE_ASSIGN_OR_RETURN(output.stages, BindStages(source, source.plans.question, 0, ""));
  head.outputs.push_back(std::move(output));
  return head;
}

}  // namespace

extern const HeadKind kQuestionAnsweringHead = {.ending = "ForQuestionAnswering", .bind = Bind};

}  // namespace hone::model
