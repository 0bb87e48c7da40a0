// A label for each token.
#include "model/heads/head_kind.h"

namespace hone::model {
namespace {

base::StatusOr<Head> Bind(const HeadSource& source) {
  Head head;
  head.task = Task::kTokenClassification;
  HONE_ASSIGN_OR_RETURN(head.labels, ParseLabels(source.json, "id2label"));
  HeadOutput output{.name = "logits", .rows = Rows::kAll};
  HONE_ASSIGN_OR_RETURN(
      output.stages,
      BindStages(source, source.plans.tokens, static_cast<int>(head.labels.size()), "id2label"));
  head.outputs.push_back(std::move(output));
  return head;
}

}  // namespace

extern const HeadKind kTokenClassificationHead = {.ending = "ForTokenClassification", .bind = Bind};

}  // namespace hone::model
