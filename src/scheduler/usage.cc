#include "scheduler/usage.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hone::scheduler {
namespace {

constexpr TimeNs kAskedNs = base::kSecondNs;
constexpr TimeNs kHistogramsFadeNs = base::kSecondNs / 16;
constexpr TimeNs kRefusedHalfLifeNs = base::kSecondNs / 16;
constexpr TimeNs kGoneNs = 10 * Usage::kHalfLifeNs;

// A steady rate of r a nanosecond (of work: r cores) has a faded sum of r · half-life / ln 2.
constexpr double kRateOfFadedSum = std::numbers::ln2 / static_cast<double>(Usage::kHalfLifeNs);

std::size_t BucketOf(TimeNs span, int steps) {
  return static_cast<std::size_t>(steps *
                                  std::log2(static_cast<double>(std::max<TimeNs>(span, 1))));
}

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
  const auto work = static_cast<double>(work_ns);
  tenants_[{item.priority, item.tenant}].Add(work, now);
  classes_[item.priority].Add(work, now);
  models_[item.model].Add(work, now);
}

void Usage::Asked(const Item& item, TimeNs work_ns, TimeNs now) {
  tenants_[{item.priority, item.tenant}].last_asked = now;
  if (tenants_.size() > forget_above_) Forget(now);
  if (now - histograms_at_ > kHistogramsFadeNs) FadeHistograms(now);
  spans_[BucketOf(item.deadline - item.arrival, kSpanSteps)] += 1;
  span_count_ += 1;
  Sums& sums = by_work_[static_cast<std::size_t>(item.priority)][BucketOf(work_ns, kWorkSteps)];
  sums.work_ns += static_cast<double>(work_ns);
  sums.span_ns += static_cast<double>(item.deadline - item.arrival);
  sums.count += 1;
  const double faded = Fade(now - asked_at_, kRefusedHalfLifeNs);
  asked_ = asked_ * faded + 1;
  refused_ *= faded;
  asked_at_ = now;
}

void Usage::FadeHistograms(TimeNs now) {
  const double faded = Fade(now - histograms_at_);
  for (double& count : spans_) count *= faded;
  for (auto& work : by_work_) {
    for (Sums& sums : work) {
      sums.work_ns *= faded;
      sums.span_ns *= faded;
      sums.count *= faded;
    }
  }
  span_count_ *= faded;
  histograms_at_ = now;
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
  return found->second.At(now) * kRateOfFadedSum;
}

TimeNs Usage::TightSpan(TimeNs now) const {
  constexpr double kShare = 0.05;
  // Fewer than one request, faded, says nothing about those to come.
  if (span_count_ * Fade(now - histograms_at_) < 1.0 / 16) return base::kNeverNs;
  double below = 0;
  for (std::size_t i = 0; i < spans_.size(); ++i) {
    below += spans_[i];
    if (below > kShare * span_count_) {
      return static_cast<TimeNs>(std::exp2(static_cast<double>(i) / 2));
    }
  }
  return base::kNeverNs;
}

Usage::Below Usage::AskedBelow(TimeNs work_ns, Priority lowest, TimeNs now) const {
  // What is in the next bucket below may cost nearly as much: from 1.2 to 1.4 times less on.
  const std::size_t end = std::max<std::size_t>(BucketOf(work_ns, kWorkSteps), 1) - 1;
  Sums all;
  for (auto c = static_cast<std::size_t>(lowest); c < by_work_.size(); ++c) {
    for (std::size_t b = 0; b < end; ++b) {
      all.work_ns += by_work_[c][b].work_ns;
      all.span_ns += by_work_[c][b].span_ns;
      all.count += by_work_[c][b].count;
    }
  }
  const double rate = Fade(now - histograms_at_) * kRateOfFadedSum;
  Below below{.cores = all.work_ns * rate, .per_ns = all.count * rate};
  if (all.count > 0) below.span_ns = static_cast<TimeNs>(all.span_ns / all.count);
  return below;
}

double Usage::RefusedShare(TimeNs now) const {
  // Without others that ask it fades all the same: a machine that nobody asks turns nobody away.
  return asked_ > 0 ? refused_ / std::max(asked_, 1.0) * Fade(now - asked_at_, kRefusedHalfLifeNs)
                    : 0;
}

}  // namespace hone::scheduler
