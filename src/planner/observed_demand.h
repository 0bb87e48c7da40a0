// What clients ask of a model, as means that follow the load within seconds.
//
//   rate ← ½ · rate + ½ · (requests since the last look / seconds since it)
// and likewise the mean texts and tokens of a request, where there was one.
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
  // Deadlines of the last requests, as spans; count ≤ size.
  std::array<base::TimeNs, 64> deadlines{};
  std::size_t deadline_count = 0;

  void Asked(int request_texts, int request_tokens, base::TimeNs deadline_span);
  void Look(double seconds);           // folds what came since the last look into the means
  base::TimeNs TightestTenth() const;  // 0: none seen
  // Of a typical request; where nobody has asked, one text of a sentence's length.
  int TypicalTexts() const;
  int TypicalTokens() const;
};

}  // namespace hone::planner
