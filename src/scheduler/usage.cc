#include "scheduler/usage.h"

#include <algorithm>
#include <cmath>

namespace hone::scheduler {
namespace {

constexpr TimeNs kAskedNs = base::kSecondNs;
constexpr TimeNs kSpansFadeNs = base::kSecondNs / 16;
constexpr TimeNs kRefusedHalfLifeNs = base::kSecondNs / 8;
constexpr TimeNs kGoneNs = 10 * Usage::kHalfLifeNs;

double Fade(TimeNs age, TimeNs half_life = Usage::kHalfLifeNs) {
  return std::exp2(-static_cast<double>(age) / static_cast<double>(half_life));
}

}  // namespace

double Usage::Faded::At(TimeNs now) const {
  return work_ns == 0 ? 0 : work_ns * Fade(now - at);
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
  refused_ += 1;
}

void Usage::Asked(const Item& item, TimeNs now) {
  tenants_[{item.priority, item.tenant}].last_asked = now;
  if (tenants_.size() > forget_above_) Forget(now);
  if (now - spans_at_ > kSpansFadeNs) {
    const double faded = Fade(now - spans_at_);
    for (double& count : spans_) count *= faded;
    span_count_ *= faded;
    spans_at_ = now;
  }
  const auto span = static_cast<double>(std::max<TimeNs>(item.deadline - item.arrival, 1));
  spans_[static_cast<std::size_t>(2 * std::log2(span))] += 1;
  span_count_ += 1;
  const double faded = Fade(now - asked_at_, kRefusedHalfLifeNs);
  asked_ = asked_ * faded + 1;
  refused_ *= faded;
  asked_at_ = now;
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

TimeNs Usage::TightSpan(TimeNs now) const {
  constexpr double kShare = 0.05;
  // Fewer than one request, faded, says nothing about those to come.
  if (span_count_ * Fade(now - spans_at_) < 1.0 / 16) return base::kNeverNs;
  double below = 0;
  for (std::size_t i = 0; i < spans_.size(); ++i) {
    below += spans_[i];
    if (below > kShare * span_count_) {
      return static_cast<TimeNs>(std::exp2(static_cast<double>(i) / 2));
    }
  }
  return base::kNeverNs;
}

double Usage::RefusedShare(TimeNs now) const {
  // Without others that ask it fades all the same: a machine that nobody asks turns nobody away.
  return asked_ > 0 ? refused_ / std::max(asked_, 1.0) * Fade(now - asked_at_, kRefusedHalfLifeNs) : 0;
}

}  // namespace hone::scheduler
