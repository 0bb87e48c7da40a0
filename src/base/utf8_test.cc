#include "base/utf8.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace hone::base {
namespace {

TEST(Utf8, EveryScalarValueSurvivesTheRoundTrip) {
  for (char32_t rune = 0; rune <= 0x10FFFF; ++rune) {
    if (rune >= 0xD800 && rune <= 0xDFFF) continue;
    std::string text;
    AppendRune(rune, &text);
    const DecodedRune decoded = DecodeRune(text, 0);
    ASSERT_TRUE(decoded.valid && decoded.rune == rune && decoded.size == text.size())
        << static_cast<std::uint32_t>(rune);
    ASSERT_TRUE(IsValidUtf8(text));
  }
}

// Counted from the definition: the length that the rune's size needs, no surrogates, at most
// 10FFFF.
TEST(Utf8, TwoAndThreeByteSequencesAreValidExactlyWhereTheyEncodeARune) {
  int valid2 = 0, valid3 = 0;
  for (int a = 0x80; a < 0x100; ++a) {
    for (int b = 0; b < 0x100; ++b) {
      const std::string two = {static_cast<char>(a), static_cast<char>(b)};
      if (IsValidUtf8(two)) ++valid2;
      for (int c = 0; c < 0x100; ++c) {
        const std::string three = {static_cast<char>(a), static_cast<char>(b),
                                   static_cast<char>(c)};
        if (b >= 0x80 && DecodeRune(three, 0).size == 3 && DecodeRune(three, 0).valid) ++valid3;
      }
    }
  }
  EXPECT_EQ(valid2, 0x800 - 0x80);
  EXPECT_EQ(valid3, 0x10000 - 0x800 - 0x800);
}

// Table 3-8 of Unicode 15 §3.9: how many replacement characters each ill-formed sequence gives.
TEST(Utf8, ReplacesMaximalSubparts) {
  EXPECT_EQ(ToValidUtf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"), "��������A");
  EXPECT_EQ(ToValidUtf8("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"), "��������A");
  EXPECT_EQ(ToValidUtf8("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"), "�����A��B");
  EXPECT_EQ(ToValidUtf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), "����A");
  EXPECT_EQ(ToValidUtf8("ab\xE2\x82"), "ab�") << "truncated at the end";
}

TEST(Utf8, ReplacementIsIdempotentAndValid) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string text(random() % 24, '\0');
    for (char& c : text) c = static_cast<char>(random() % 3 == 0 ? random() % 128 : random() % 256);
    const std::string valid = ToValidUtf8(text);
    ASSERT_TRUE(IsValidUtf8(valid));
    ASSERT_EQ(ToValidUtf8(valid), valid);
    ASSERT_EQ(IsValidUtf8(text), valid == text);
    std::size_t covered = 0;
    while (covered < text.size()) {
      const DecodedRune rune = DecodeRune(text, covered);
      ASSERT_GE(rune.size, 1);
      covered += rune.size;
    }
    ASSERT_EQ(covered, text.size()) << "never reads past the end";
  }
}

}  // namespace
}  // namespace hone::base
