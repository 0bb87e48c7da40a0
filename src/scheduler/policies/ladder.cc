// ladder: earliest deadline first, the most accurate rung with which all promises hold.
#include "scheduler/admission.h"
#include "scheduler/deadline_step.h"

namespace hone::scheduler {
namespace {

class LadderPolicy : public Policy {
 public:
  std::string_view name() const override { return "ladder"; }
  bool promises() const override { return true; }
  Admission Admit(const View& view, std::span<const Item> parts) const override {
    return AdmitByPlan(view, parts, PlanRung::kFastest);
  }
  int Broken(const View& view) const override { return BrokenByPlan(view, PlanRung::kFastest); }
  Decision Next(const View& view, int executor) const override {
    return StepByPlan(view, executor, PlanRung::kFastest);
  }
};

}  // namespace

std::unique_ptr<Policy> MakeLadderPolicy() {
  return std::make_unique<LadderPolicy>();
}

}  // namespace hone::scheduler
