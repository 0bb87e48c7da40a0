// One intent for the sentence and one slot for each token (Chen, Zhuo, Wang 2019,
// arXiv:1902.10909).
//
// A convention of Hone's: config.json has  architectures: ["HoneForIntentAndSlots"],  id2label for
// the intents and  slot_id2label  for the slots. The checkpoint has intent_classifier.{weight,bias}
// on the pooled output where it has a pooler, on the first token where not, and
// slot_classifier.{weight,bias} on every token.
#include "model/heads/head_kind.h"

namespace hone::model {
namespace {

base::StatusOr<Head> Bind(const HeadSource& source) {
  Head head;
  head.task = Task::kJoint;
  HONE_ASSIGN_OR_RETURN(head.labels, ParseLabels(source.json, "id2label"));
  HONE_RETURN_IF_ERROR(source.json.Get("slot_id2label").status());
  HONE_ASSIGN_OR_RETURN(head.slot_labels, ParseLabels(source.json, "slot_id2label"));

  std::vector<StagePlan> intent_plans;
  for (const StagePlan& plan : source.plans.pooler) {
    if (source.top.checkpoint().HasMatrix(source.encoder.Name(plan.dense))) {
      intent_plans.push_back(plan);
    }
  }
  intent_plans.push_back({.dense = "intent_classifier", .width = StagePlan::kLabels});
  HeadOutput intent{.name = "intent", .rows = Rows::kFirst};
  HONE_ASSIGN_OR_RETURN(
      intent.stages,
      BindStages(source, intent_plans, static_cast<int>(head.labels.size()), "id2label"));

  const StagePlan slot_plan{.dense = "slot_classifier", .width = StagePlan::kLabels};
  HeadOutput slots{.name = "slots", .rows = Rows::kAll};
  HONE_ASSIGN_OR_RETURN(
      slots.stages, BindStages(source, {&slot_plan, 1}, static_cast<int>(head.slot_labels.size()),
                               "slot_id2label"));
  head.outputs.push_back(std::move(intent));
  head.outputs.push_back(std::move(slots));
  return head;
}

}  // namespace

extern const HeadKind kJointHead = {.ending = "ForIntentAndSlots", .bind = Bind};

}  // namespace hone::model
