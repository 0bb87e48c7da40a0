#include "text/regex.h"

#include <gtest/gtest.h>

namespace hone::text {
namespace {

// All matches, as "begin-end" in bytes.
std::string Matches(std::string_view pattern, std::string_view text) {
  auto regex = Regex::Compile(pattern, "test");
  if (!regex.ok()) return regex.status().message();
  RegexScratch scratch;
  Regex::Match match;
  std::string result;
  for (std::size_t from = 0; from <= text.size() && regex->Find(text, from, &scratch, &match);) {
    base::StrAppend(&result, result.empty() ? "" : " ", match.begin, "-", match.end);
    from = match.end > match.begin ? match.end : match.end + 1;
  }
  return result;
}

TEST(Regex, TakesTheLeftmostAlternativeThatMatches) {
  EXPECT_EQ(Matches("a|ab", "ab"), "0-1");
  EXPECT_EQ(Matches("ab|a", "ab"), "0-2");
  EXPECT_EQ(Matches("(?:a|b|cd)+e", "xacdbe"), "1-6");
}

TEST(Regex, GivesCharactersBackUnlessPossessive) {
  EXPECT_EQ(Matches("a+ab", "aaab"), "0-4");
  EXPECT_EQ(Matches("a++ab", "aaab"), "");
  EXPECT_EQ(Matches("(?>a+)ab", "aaab"), "");
  EXPECT_EQ(Matches("a+?", "aaa"), "0-1 1-2 2-3");
  EXPECT_EQ(Matches("<.+?>", "<a><b>"), "0-3 3-6");
  EXPECT_EQ(Matches("a{2,3}", "aaaaa"), "0-3 3-5");
  EXPECT_EQ(Matches("(?:ab){2}", "ababab"), "0-4");
}

TEST(Regex, GivesBackWholeCharacters) {
  EXPECT_EQ(Matches("[^a]+é", "xééé"), "0-7");
  EXPECT_EQ(Matches("\\s+(?!\\S)", " \u3000\u3000x"), "0-4");
}

TEST(Regex, LooksAroundWithoutMoving) {
  EXPECT_EQ(Matches("a(?=b)", "abac"), "0-1");
  EXPECT_EQ(Matches("a(?!b)", "abac"), "2-3");
  EXPECT_EQ(Matches("(?<=é)a", "aéa"), "3-4");
  EXPECT_EQ(Matches("(?<!x)a", "xaya"), "3-4");
}

TEST(Regex, KnowsUnicodeClasses) {
  EXPECT_EQ(Matches("\\p{L}+", "aé日1"), "0-6");
  EXPECT_EQ(Matches("\\p{^L}", "a1"), "1-2");
  EXPECT_EQ(Matches("[\\p{Lu}x]", "aXx"), "1-2 2-3");
  EXPECT_EQ(Matches("[^\\s\\d]+", "a\u00a0b3"), "0-1 3-4");
  EXPECT_EQ(Matches("(?i:'s)", "'S 'ſ"), "0-2 3-6");
}

TEST(Regex, AnchorsAtLinesAndText) {
  EXPECT_EQ(Matches("^a", "a\na"), "0-1 2-3");
  EXPECT_EQ(Matches("\\Aa", "a\na"), "0-1");
  EXPECT_EQ(Matches("a$", "a\nba"), "0-1 3-4");
  EXPECT_EQ(Matches("\\bb", "b ab"), "0-1");
}

TEST(Regex, NamesWhatItDoesNotSupport) {
  EXPECT_NE(Matches("a\\p{Han}", "").find("byte 3: this character property"), std::string::npos);
  EXPECT_NE(Matches("(?<name>a)", "").find("this kind of group"), std::string::npos);
  EXPECT_NE(Matches("(?<=ab)c", "").find("more than one character"), std::string::npos);
  EXPECT_NE(Matches("(a", "").find("expected )"), std::string::npos);
  EXPECT_NE(Matches("[a", "").find("expected ]"), std::string::npos);
  EXPECT_NE(Matches("a)", "").find("unmatched )"), std::string::npos);
  EXPECT_NE(Matches("[a&&b]", "").find("not supported"), std::string::npos);
  EXPECT_NE(Matches("(?:(?:a{99}){99}){99}", "").find("too many repetitions"), std::string::npos);
}

TEST(Regex, GivesUpWherePatternsExplode) {
  const std::string text(40, 'a');
  EXPECT_EQ(Matches("(?:a|aa)+b", text + "c"), "");
  EXPECT_EQ(Matches("(?:a*)*b", text), "");
}

}  // namespace
}  // namespace hone::text
