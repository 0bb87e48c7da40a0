// fcfs: first come, first served, whatever the deadlines.
#include "scheduler/admission.h"
#include "scheduler/policies/arrival_order.h"

namespace hone::scheduler {
namespace {

class FcfsPolicy : public Policy {
 public:
  std::string_view name() const override { return "fcfs"; }
  bool promises() const override { return false; }
  Admission Admit(const View& view, std::span<const Item> parts) const override {
    return CheckRoom(view, parts);
  }
  Decision Next(const View& view, int executor) const override {
    const Item* oldest = nullptr;
    for (int m = 0; m < static_cast<int>(view.queues.size()); ++m) {
      const Item* item = OldestItem(view, m);
      if (item != nullptr && (oldest == nullptr || CameBefore(*item, *oldest))) oldest = item;
    }
    return oldest == nullptr ? Decision{} : BatchByArrival(view, executor, oldest->model);
  }
};

}  // namespace

std::unique_ptr<Policy> MakeFcfsPolicy() {
  return std::make_unique<FcfsPolicy>();
}

}  // namespace hone::scheduler
