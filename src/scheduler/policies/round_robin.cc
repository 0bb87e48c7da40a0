// round_robin: model after model, whatever the deadlines.
#include "scheduler/admission.h"
#include "scheduler/policies/arrival_order.h"

namespace hone::scheduler {
namespace {

class RoundRobinPolicy : public Policy {
 public:
  std::string_view name() const override { return "round_robin"; }
  bool promises() const override { return false; }
  Admission Admit(const View& view, std::span<const Item> parts) const override {
    return CheckRoom(view, parts);
  }
  Decision Next(const View& view, int executor) const override {
    const int models = static_cast<int>(view.queues.size());
    for (int i = 1; i <= models; ++i) {
      const int model = (view.last_model + i) % models;
      if (MayRun(view, model)) return BatchByArrival(view, executor, model);
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<Policy> MakeRoundRobinPolicy() {
  return std::make_unique<RoundRobinPolicy>();
}

}  // namespace hone::scheduler
