// A small regular-expression matcher for the patterns of tokenizer.json.
//
// Syntax   literals, ".", [classes] with ranges and negation, \s \S \d \D \w \W \n \r \t \f \v
//          \a \e \xHH \x{H} \uHHHH, \p{..} \P{..} \p{^..} of general categories, (?:..), (?i:..),
//          (..), |, ? * + {n} {n,} {n,m} greedy, lazy and possessive, (?=..) (?!..) (?<=..) (?<!..)
//          of one character, (?>..), ^ $ \A \z \b \B. Anything else is an error that names it and
//          its place.
// Meaning  as Oniguruma (which the original uses) in its Ruby syntax: ^ and $ match at lines, "."
//          not at a line feed, the leftmost alternative wins. No captures.
// Limits   a match attempt that takes more than kMaxSteps counts as failed, so that no pattern and
//          text can hang a server; the patterns in use take a few steps a character.
//
// Thread-safety  const after Compile; one RegexScratch a thread.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace hone::text {

struct RegexFrame {
  std::uint32_t node, position, minimum;
};
using RegexScratch = std::vector<RegexFrame>;

using ByteSet = std::bitset<256>;

class Regex {
 public:
  static constexpr std::int64_t kMaxSteps = 1 << 16;  // and 16 for each byte of the text
  static constexpr int kMaxInstructions = 1 << 12;

  // `where` names the pattern in errors.
  static base::StatusOr<Regex> Compile(std::string_view pattern, std::string_view where);
  // A pattern that matches `text` itself.
  static Regex Literal(std::string_view text);

  struct Match {
    std::size_t begin = 0, end = 0;
  };
  // The leftmost match that starts at or after `from`; `text` is valid UTF-8. False if there is
  // none.
  bool Find(std::string_view text, std::size_t from, RegexScratch* scratch, Match* match) const;

  struct CharSet {
    std::uint64_t ascii[2] = {0, 0};
    struct Item {
      char32_t first = 1, last = 0;  // a range,
      std::uint16_t flags = 0;       // or any of these CharFlags,
      std::uint32_t categories = 0;  // or any of these general categories
      bool negated = false;
    };
    std::vector<Item> items;
    bool negated = false;

    bool Matches(char32_t rune) const;
    bool MatchesAscii(unsigned char c) const { return (ascii[c >> 6] >> (c & 63) & 1) != 0; }
  };

  enum class Op : std::uint8_t {
    kSet,         // one character of set `a`
    kSplit,       // goes on at the next instruction, or else at `a`; `b`: index in branches_
    kSplitLazy,   // goes on at `a`, or else at the next instruction
    kJump,        // to `a`
    kRepeat,      // characters of set `a`, `b` to `c` times, greedy, giving back on failure
    kRepeatAll,   // the same, giving nothing back
    kRepeatLazy,  // the same, taking more only on failure
    kAssert,      // the program from the next instruction on must match here (`b` 1: must not)
    kAtomic,      // the same, and moves on to its end; both go on at `a`
    kBehind,      // the character before is of set `a` (`b` 1: is not)
    kLineBegin,
    kLineEnd,
    kTextBegin,
    kTextEnd,
    kWordEdge,
    kNotWordEdge,
    kMatch,  // the end of the program, or of an assertion's
  };
  struct Instruction {
    Op op;
    std::uint32_t a = 0, b = 0, c = 0;
  };

 private:
  friend class RegexCompiler;
  struct Attempt;  // one try at one place; regex_match.cc

  // Where a kSplit goes for a next byte: to the first alternative that can begin with it, and on
  // failure to the next such one. kNowhere: there is none.
  static constexpr std::uint16_t kNowhere = 0xFFFF;
  struct Branch {
    std::uint16_t first, other;
  };

  void Optimise();
  bool AddFirstBytes(std::uint32_t pc, ByteSet* bytes) const;
  bool AlwaysMatches(std::uint32_t pc) const;
  bool NeedNotGiveBack(std::uint32_t pc) const;

  std::vector<Instruction> program_;
  std::vector<CharSet> sets_;
  std::vector<std::array<Branch, 257>> branches_;  // of each kSplit, by byte; 256: at the end
  ByteSet first_;                                  // bytes that a match can begin with
  bool may_be_empty_ = true;
};

}  // namespace hone::text
