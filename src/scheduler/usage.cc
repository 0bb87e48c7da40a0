#include "scheduler/usage.h"

#include <algorithm>
#include <cmath>

namespace hone::scheduler {
namespace {

constexpr TimeNs kAskedNs = base::kSecondNs;
constexpr TimeNs kSpanNs = base::kSecondNs / 10;
constexpr TimeNs kGoneNs = 10 * Usage::kHalfLifeNs;

}  // namespace

double Usage::Faded::At(TimeNs now) const {
  return work_ns == 0 ? 0
                      : work_ns * std::exp2(-static_cast<double>(now - at) /
                                            static_cast<double>(kHalfLifeNs));
}

void Usage::Faded::Add(double work, TimeNs now) {
  work_ns = At(now) + work;
  at = now;
  last_asked = now;
}

void Usage::Accepted(const Item& item, TimeNs work_ns, TimeNs now) {
  Asked(item, now);
  const auto work = static_cast<double>(work_ns);
  tenants_[{item.priority, item.tenant}].Add(work, now);
  classes_[item.priority].Add(work, now);
  models_[item.model].Add(work, now);
}

void Usage::Refused(const Item& item, TimeNs now) {
  Asked(item, now);
}

void Usage::Asked(const Item& item, TimeNs now) {
  tenants_[{item.priority, item.tenant}].last_asked = now;
  if (tenants_.size() > forget_above_) Forget(now);
  const auto [span, first] = spans_.try_emplace(now / kSpanNs, item.deadline - item.arrival);
  if (!first) {
    span->second = std::min(span->second, item.deadline - item.arrival);
  } else {
    spans_.erase(spans_.begin(), spans_.lower_bound((now - kAskedNs) / kSpanNs));
  }
}

void Usage::Forget(TimeNs now) {
  std::erase_if(tenants_,
                [&](const auto& entry) { return now - entry.second.last_asked > kGoneNs; });
  forget_above_ = std::max(kManyTenants, 2 * tenants_.size());
}

double Usage::TenantShare(int tenant, Priority priority, TimeNs now) const {
  const auto all = classes_.find(priority);
  const auto own = tenants_.find({priority, tenant});
  if (all == classes_.end() || own == tenants_.end()) return 0;
  const double total = all->second.At(now);
  return total > 0 ? std::min(own->second.At(now) / total, 1.0) : 0;
}

double Usage::FairShare(Priority priority, TimeNs now) const {
  int asked = 0;
  for (const auto& [tenant, faded] : tenants_) {
    asked += tenant.first == priority && now - faded.last_asked <= kAskedNs;
  }
  return asked > 0 ? 1.0 / asked : 1;
}

double Usage::ModelCores(int model, TimeNs now) const {
  const auto found = models_.find(model);
  if (found == models_.end()) return 0;
  // A steady rate of r cores has a faded sum of r · half-life / ln 2.
  return found->second.At(now) * std::log(2.0) / static_cast<double>(kHalfLifeNs);
}

TimeNs Usage::TightestSpan(TimeNs now) const {
  TimeNs tightest = base::kNeverNs;
  for (const auto& [tenth, span] : spans_) {
    if (now - tenth * kSpanNs <= kAskedNs + kSpanNs) tightest = std::min(tightest, span);
  }
  return tightest;
}

}  // namespace hone::scheduler
