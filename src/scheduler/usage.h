// Who has had how much of the machine lately: accepted work by tenant and by model, fading with a
// half-life of a second.
#pragma once

#include <map>

#include "base/time_ns.h"
#include "scheduler/types.h"

namespace hone::scheduler {

class Usage {
 public:
  // `work_ns` of executor time times its threads was promised to the item (its expected cost).
  void Accepted(const Item& item, TimeNs work_ns, TimeNs now);
  // It asked in vain: it still counts as somebody who wants a share.
  void Refused(const Item& item, TimeNs now);

  // Share of the accepted work of all tenants, 0 to 1, and what would be fair: one part of those that
  // asked lately.
  double TenantShare(int tenant, TimeNs now) const;
  double FairShare(TimeNs now) const;
  // Accepted work per time, in cores.
  double ModelCores(int model, TimeNs now) const;

 private:
  struct Faded {
    double work_ns = 0;
    TimeNs at = 0;
    TimeNs last_asked = 0;
    double At(TimeNs now) const;
  };
  std::map<int, Faded> tenants_, models_;
};

}  // namespace hone::scheduler
