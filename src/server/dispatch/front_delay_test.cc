#include "server/dispatch/front_delay.h"

#include <gtest/gtest.h>

namespace hone::server {
namespace {

using base::kMillisecondNs;
using base::kSecondNs;

TEST(FrontDelay, RisesAtOnceAndFallsWithAnswersAndWithTime) {
  FrontDelay delay;
  EXPECT_EQ(delay.At(5 * kSecondNs), 0);
  delay.Sent(10 * kMillisecondNs, 5 * kSecondNs);
  EXPECT_EQ(delay.At(5 * kSecondNs), 10 * kMillisecondNs);
  for (int i = 0; i < 100; ++i) delay.Sent(kMillisecondNs, 5 * kSecondNs);
  EXPECT_LT(delay.At(5 * kSecondNs), 4 * kMillisecondNs);
  delay.Sent(40 * kMillisecondNs, 6 * kSecondNs);
  EXPECT_EQ(delay.At(6 * kSecondNs + FrontDelay::kHalfLifeNs), 20 * kMillisecondNs)
      << "no answer has to come for it to be forgotten";
  EXPECT_LT(delay.At(9 * kSecondNs), kMillisecondNs / 10);
}

}  // namespace
}  // namespace hone::server
