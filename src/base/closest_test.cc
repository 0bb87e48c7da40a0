#include "base/closest.h"

#include <gtest/gtest.h>

#include <string>

namespace hone::base {
namespace {

TEST(Closest, CountsInsertionsDeletionsAndReplacements) {
  EXPECT_EQ(EditDistance("", ""), 0);
  EXPECT_EQ(EditDistance("run", ""), 3);
  EXPECT_EQ(EditDistance("quantise", "quantize"), 1);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
}

TEST(Closest, NamesWhatWasProbablyMeant) {
  EXPECT_EQ(Closest("quantise", {"run", "quantize", "quantum"}), "quantize");
  EXPECT_EQ(Closest("rnu", {"load", "run"}), "run");
  EXPECT_EQ(Closest("fly", {"run", "quantize"}), "");
  EXPECT_EQ(Closest("x", {"t", "m"}), "") << "nothing of the word is left";
  EXPECT_EQ(Closest(std::string(65, 'a'), {std::string(64, 'a')}), "");
}

}  // namespace
}  // namespace hone::base
