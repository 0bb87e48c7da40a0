// Labels or a score for a text or a pair; a cross-encoder is this with one label.
#include "model/heads/head_kind.h"

namespace hone::model {
namespace {

// problem_type, or what the number of labels implies: one is a regression.
base::StatusOr<ProblemType> ParseProblem(const base::JsonValue& json, std::size_t labels) {
  HONE_ASSIGN_OR_RETURN(const std::string_view name, json.StringOr("problem_type", ""));
  if (name.empty()) return labels == 1 ? ProblemType::kRegression : ProblemType::kSingleLabel;
  if (name == "single_label_classification") return ProblemType::kSingleLabel;
  if (name == "multi_label_classification") return ProblemType::kMultiLabel;
  if (name == "regression") return ProblemType::kRegression;
  return base::Unsupported(json.Where(), ".problem_type: \"", name,
                           "\" is not supported; Hone has single_label_classification, "
                           "multi_label_classification and regression");
}

base::StatusOr<Head> Bind(const HeadSource& source) {
  Head head;
  head.task = Task::kSequenceClassification;
  HONE_ASSIGN_OR_RETURN(head.labels, ParseLabels(source.json, "id2label"));
  HONE_ASSIGN_OR_RETURN(head.problem, ParseProblem(source.json, head.labels.size()));
  HeadOutput output{.name = "logits", .rows = source.plans.pooled_rows};
  HONE_ASSIGN_OR_RETURN(
      output.stages,
      BindStages(source, source.plans.sequence, static_cast<int>(head.labels.size()), "id2label"));
  head.outputs.push_back(std::move(output));
  return head;
}

}  // namespace

extern const HeadKind kSequenceClassificationHead = {.ending = "ForSequenceClassification",
                                                     .bind = Bind};

}  // namespace hone::model
