// How long the fronts take, lately, from a batch's end to its answer on the wire; promises leave that much.
//
// Rises at once; falls by a hundredth with each answer, and by half in a quarter of a second without any:
// where nothing is accepted any more, no answer can show that the front has caught up.
// Thread-safety  any thread. Fronts that race lose one another's figures: one is as good as another.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>

#include "base/time_ns.h"

namespace hone::server {

class FrontDelay {
 public:
  static constexpr base::TimeNs kHalfLifeNs = 250 * base::kMillisecondNs;

  // An answer went out `after` its batch ended.
  void Sent(base::TimeNs after, base::TimeNs now) {
    delay_ns_.store(std::max(after, At(now) * 99 / 100), std::memory_order_relaxed);
    sent_at_.store(now, std::memory_order_relaxed);
  }
  base::TimeNs At(base::TimeNs now) const {
    const base::TimeNs age =
        std::max<base::TimeNs>(now - sent_at_.load(std::memory_order_relaxed), 0);
    return static_cast<base::TimeNs>(
        static_cast<double>(delay_ns_.load(std::memory_order_relaxed)) *
        std::exp2(-static_cast<double>(age) / static_cast<double>(kHalfLifeNs)));
  }

 private:
  std::atomic<base::TimeNs> delay_ns_ = 0, sent_at_ = 0;
};

}  // namespace hone::server
