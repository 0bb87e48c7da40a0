// Who has had how much of the machine lately: accepted work by tenant and by model, fading with a
// half-life of a second; how much time those gave who asked, what they would cost, and how many were turned
// away.
#pragma once

#include <array>
#include <map>
#include <utility>

#include "base/time_ns.h"
#include "scheduler/types.h"

namespace hone::scheduler {

class Usage {
 public:
  static constexpr TimeNs kHalfLifeNs = base::kSecondNs;

  // It asks, in vain or not: somebody who wants a share, and would cost that much of executor time times threads.
  void Asked(const Item& item, TimeNs work_ns, TimeNs now);
  // After Asked: that much was promised to it.
  void Accepted(const Item& item, TimeNs work_ns, TimeNs now);
  // After Asked: the machine had no time for it.
  void TurnedAway() { refused_ += 1; }
  void RemoveModel(int model) { models_.erase(model); }

  // Share of the accepted work of all tenants of that class, 0 to 1, and what would be fair: one part of
  // those that asked within the last second.
  double TenantShare(int tenant, Priority priority, TimeNs now) const;
  double FairShare(Priority priority, TimeNs now) const;
  // Accepted work per time, in cores.
  double ModelCores(int model, TimeNs now) const;
  // A twentieth of those that asked lately gave less time than that from arrival to deadline; kNeverNs
  // where nobody asked. A batch that runs much longer blocks who may come next.
  TimeNs TightSpan(TimeNs now) const;
  // Items of that class or a higher one that lately asked, refused ones included, and cost clearly less than
  // `work_ns` each.
  struct Below {
    double cores = 0;    // work per time
    double per_ns = 0;   // how many a nanosecond
    TimeNs span_ns = 0;  // from arrival to deadline, in the mean; 0 where there were none
  };
  Below AskedBelow(TimeNs work_ns, Priority lowest, TimeNs now) const;
  // Of those that asked lately (half-life: a sixteenth of a second), the share that was refused; 0 where
  // nobody asked.
  double RefusedShare(TimeNs now) const;
  std::size_t tenants() const { return tenants_.size(); }  // that are remembered

 private:
  struct Faded {
    double work_ns = 0;
    TimeNs at = 0;
    TimeNs last_asked = 0;
    double At(TimeNs now) const;
    void Add(double work, TimeNs now);
  };
  using Tenant = std::pair<Priority, int>;

  void FadeHistograms(TimeNs now);
  void Forget(TimeNs now);

  // Tenants come from outside: those long gone are forgotten once there are more than `forget_above_`.
  static constexpr std::size_t kManyTenants = 256;
  std::size_t forget_above_ = kManyTenants;
  std::map<Tenant, Faded> tenants_;
  std::map<Priority, Faded> classes_;
  std::map<int, Faded> models_;
  // Bucket b is of 2^(b/steps) to 2^((b+1)/steps) ns; what is in it fades.
  static constexpr int kSpanSteps = 2, kWorkSteps = 4;
  template <typename T, int steps>
  using Histogram = std::array<T, std::size_t{64} * steps>;
  Histogram<double, kSpanSteps> spans_ = {};  // how many gave such a time
  struct Sums {
    double work_ns = 0, span_ns = 0, count = 0;
  };
  // [class] of items that cost so much
  std::array<Histogram<Sums, kWorkSteps>, 3> by_work_ = {};
  double span_count_ = 0;
  TimeNs histograms_at_ = 0;
  double asked_ = 0, refused_ = 0;  // as of asked_at_
  TimeNs asked_at_ = 0;
};

}  // namespace hone::scheduler
