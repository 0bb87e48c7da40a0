#include "planner/observed_demand.h"

#include <algorithm>
#include <cmath>

namespace hone::planner {
namespace {

int Rounded(double value, int fallback) {
  return value < 0.5 ? fallback : static_cast<int>(std::lround(value));
}

}  // namespace

void ObservedDemand::Asked(int request_texts, int request_tokens, base::TimeNs deadline_span,
                           base::TimeNs now) {
  ++requests;
  texts += request_texts;
  tokens += request_tokens;
  deadlines[asked % deadlines.size()] = deadline_span;
  arrivals[asked % arrivals.size()] = now;
  ++asked;
}

double ObservedDemand::RecentRate(base::TimeNs now) const {
  if (asked < arrivals.size()) return rate_per_s;
  const base::TimeNs first = arrivals[asked % arrivals.size()];
  return static_cast<double>(arrivals.size()) * base::kSecondNs /
         static_cast<double>(std::max<base::TimeNs>(now - first, 1));
}

bool ObservedDemand::Ceased(base::TimeNs now) const {
  if (asked == 0) return true;
  constexpr base::TimeNs kLeast = 50 * base::kMillisecondNs, kMost = base::kSecondNs / 2;
  constexpr double kGaps = 8;
  // Of gaps by chance one in three thousand is that long.
  const double silent = kGaps * base::kSecondNs / std::max(rate_per_s, 1e-3);
  const auto last = arrivals[(asked - 1) % arrivals.size()];
  return now - last > std::clamp(static_cast<base::TimeNs>(silent), kLeast, kMost);
}

void ObservedDemand::Look(double seconds) {
  // Half of the mean is the last second's: a change of load shows in two or three seconds, one
  // second's burst alone moves it halfway.
  constexpr double kKeep = 0.5;
  const double n = static_cast<double>(requests);
  rate_per_s = kKeep * rate_per_s + (1 - kKeep) * n / seconds;
  if (requests > 0) {
    const double keep = texts_mean == 0 ? 0 : kKeep;
    texts_mean = keep * texts_mean + (1 - keep) * static_cast<double>(texts) / n;
    tokens_mean = keep * tokens_mean + (1 - keep) * static_cast<double>(tokens) / n;
  }
  requests = texts = tokens = 0;
}

base::TimeNs ObservedDemand::TightestTenth() const {
  const std::size_t size = std::min(asked, deadlines.size());
  if (size == 0) return 0;
  auto sorted = deadlines;
  const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(size / 10);
  std::nth_element(sorted.begin(), at, sorted.begin() + static_cast<std::ptrdiff_t>(size));
  return *at;
}

int ObservedDemand::TypicalTexts() const {
  return Rounded(texts_mean, 1);
}

int ObservedDemand::TypicalTokens() const {
  constexpr int kSentence = 32;
  const int count = TypicalTexts();
  return std::max(Rounded(tokens_mean, kSentence * count), count);
}

}  // namespace hone::planner
