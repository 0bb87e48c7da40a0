// What clients ask of a model, as means that follow the load within seconds.
//
//   rate ← ½ · rate + ½ · (requests since the last look / seconds since it)
// and likewise the mean texts and tokens of a request, where there was one. Beside it the rate of the last eight
// requests alone, which shows within milliseconds who is asked for now.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time_ns.h"

namespace hone::planner {

struct ObservedDemand {
  // Since the last look.
  std::int64_t requests = 0, texts = 0, tokens = 0;
  double rate_per_s = 0, texts_mean = 0, tokens_mean = 0;
  // Of the last requests: deadlines, as spans, and moments.
  std::array<base::TimeNs, 64> deadlines{};
  std::array<base::TimeNs, 8> arrivals{};
  std::size_t asked = 0;  // in all

  void Asked(int request_texts, int request_tokens, base::TimeNs deadline_span, base::TimeNs now);
  void Look(double seconds);  // folds what came since the last look into the means
  // Eight over the time since the last but seven; the mean where there were fewer in all.
  double RecentRate(base::TimeNs now) const;
  // Nobody asks any more: for eight times as long as lies between two requests in the mean, half a second at most.
  bool Ceased(base::TimeNs now) const;
  base::TimeNs TightestTenth() const;  // 0: none seen
  // Of a typical request; where nobody has asked, one text of a sentence's length.
  int TypicalTexts() const;
  int TypicalTokens() const;
};

}  // namespace hone::planner
