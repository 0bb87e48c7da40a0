// edf: earliest deadline first, always the most accurate rung.
#include "scheduler/admission.h"
#include "scheduler/deadline_step.h"

namespace hone::scheduler {
namespace {

class EdfPolicy : public Policy {
 public:
  std::string_view name() const override { return "edf"; }
  bool promises() const override { return true; }
  Admission Admit(const View& view, std::span<const Item> parts) const override {
    return AdmitByPlan(view, parts, PlanRung::kMostAccurate);
  }
  int Broken(const View& view) const override {
    return BrokenByPlan(view, PlanRung::kMostAccurate);
  }
  Decision Next(const View& view, int executor) const override {
    return StepByPlan(view, executor, PlanRung::kMostAccurate);
  }
};

}  // namespace

std::unique_ptr<Policy> MakeEdfPolicy() {
  return std::make_unique<EdfPolicy>();
}

}  // namespace hone::scheduler
