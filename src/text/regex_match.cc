#include <algorithm>

#include "text/aligned_text.h"
#include "text/regex.h"
#include "text/unicode.h"

namespace hone::text {
namespace {

constexpr std::uint32_t kPlain = 0xFFFFFFFF;  // RegexFrame::minimum of a branch not taken

bool IsWordBefore(std::string_view text, std::size_t position) {
  if (position == 0) return false;
  std::size_t i = position - 1;
  while (i > 0 && IsContinuation(text[i])) --i;
  int size;
  return Has(DecodeValid(text.data() + i, &size), kRegexWord);
}

bool IsWordAt(std::string_view text, std::size_t position) {
  int size;
  return position < text.size() && Has(DecodeValid(text.data() + position, &size), kRegexWord);
}

}  // namespace

bool Regex::CharSet::Matches(char32_t rune) const {
  for (const Item& item : items) {
    const bool in = (rune >= item.first && rune <= item.last) ||
                    (item.flags != 0 && (CharFlags(rune) & item.flags) != 0) ||
                    (item.categories != 0 && (CategoryBit(rune) & item.categories) != 0);
    if (in != item.negated) return !negated;
  }
  return negated;
}

// One attempt to match at one place.
struct Regex::Attempt {
  const Regex& regex;
  std::string_view text;
  RegexScratch* stack;
  std::int64_t steps;

  // Size of the character of `set` at position, or 0.
  std::size_t MatchSet(const CharSet& set, std::size_t position) const {
    if (position >= text.size()) return 0;
    const auto byte = static_cast<unsigned char>(text[position]);
    if (byte < 0x80) return set.MatchesAscii(byte) ? 1 : 0;
    int size;
    const char32_t rune = DecodeValid(text.data() + position, &size);
    return set.Matches(rune) ? static_cast<std::size_t>(size) : 0;
  }

  std::size_t Before(std::size_t position) const {
    do --position;
    while (IsContinuation(text[position]));
    return position;
  }

  bool AssertBehind(const CharSet& set, std::size_t position) const {
    return position > 0 && MatchSet(set, Before(position)) != 0;
  }

  bool Anchor(Op op, std::size_t position) const {
    switch (op) {
      case Op::kLineBegin: return position == 0 || text[position - 1] == '\n';
      case Op::kLineEnd: return position == text.size() || text[position] == '\n';
      case Op::kTextBegin: return position == 0;
      case Op::kTextEnd: return position == text.size();
      default: {
        const bool edge = IsWordBefore(text, position) != IsWordAt(text, position);
        return edge == (op == Op::kWordEdge);
      }
    }
  }

  // Takes as many characters as it may; where fewer would do, leaves a frame to give them back.
  bool Repeat(std::uint32_t pc, const Instruction& in, std::size_t* position) {
    const CharSet& set = regex.sets_[in.a];
    std::size_t at = *position, minimum_end = *position;
    const std::uint32_t most = in.op == Op::kRepeatLazy ? in.b : in.c;
    std::uint32_t count = 0;
    for (; count < most; ++count) {
      const bool ascii = at < text.size() && static_cast<unsigned char>(text[at]) < 0x80;
      const std::size_t size =
          ascii ? set.MatchesAscii(static_cast<unsigned char>(text[at])) : MatchSet(set, at);
      if (size == 0) break;
      at += size;
      if (count < in.b) minimum_end = at;
    }
    steps -= count / 8;
    if (count < in.b) return false;
    if (in.op == Op::kRepeatLazy ? in.b < in.c : in.op == Op::kRepeat && at > minimum_end) {
      const auto minimum =
          in.op == Op::kRepeatLazy ? count : static_cast<std::uint32_t>(minimum_end);
      stack->push_back({pc, static_cast<std::uint32_t>(at), minimum});
    }
    *position = at;
    return true;
  }

  // Back to the newest choice that is left; false if there is none above `base`.
  bool Backtrack(std::size_t base, std::uint32_t* pc, std::size_t* position) {
    while (stack->size() > base) {
      RegexFrame& frame = stack->back();
      if (frame.minimum == kPlain) {
        *pc = frame.node;
        *position = frame.position;
        stack->pop_back();
        return true;
      }
      const Instruction& in = regex.program_[frame.node];
      *pc = frame.node + 1;
      if (in.op == Op::kRepeat) {
        frame.position = static_cast<std::uint32_t>(Before(frame.position));
        *position = frame.position;
        if (frame.position <= frame.minimum) stack->pop_back();
        return true;
      }
      const std::size_t size = MatchSet(regex.sets_[in.a], frame.position);  // kRepeatLazy
      if (size == 0 || frame.minimum == in.c) {
        stack->pop_back();
        continue;
      }
      frame.position += static_cast<std::uint32_t>(size);
      ++frame.minimum;
      *position = frame.position;
      return true;
    }
    return false;
  }

  // True when the program from `pc` on matches at `position`; *end is where the match ends. The
  // depth of recursion is that of nested assertions.
  bool Run(std::uint32_t pc, std::size_t position, std::size_t* end) {
    const std::size_t base = stack->size();
    while (true) {
      if (--steps < 0) {
        stack->resize(base);
        return false;
      }
      const Instruction& in = regex.program_[pc];
      bool ok = true;
      switch (in.op) {
        case Op::kSet: {
          const std::size_t size = MatchSet(regex.sets_[in.a], position);
          ok = size != 0;
          position += size;
          ++pc;
          break;
        }
        case Op::kSplit: {
          const std::size_t byte =
              position < text.size() ? static_cast<unsigned char>(text[position]) : 256;
          const Branch branch = regex.branches_[in.b][byte];
          if (branch.first == kNowhere) {
            ok = false;
            break;
          }
          if (branch.other != kNowhere) {
            stack->push_back({branch.other, static_cast<std::uint32_t>(position), kPlain});
          }
          pc = branch.first;
          break;
        }
        case Op::kSplitLazy:
          stack->push_back({pc + 1, static_cast<std::uint32_t>(position), kPlain});
          pc = in.a;
          break;
        case Op::kJump: pc = in.a; break;
        case Op::kRepeat:
        case Op::kRepeatAll:
        case Op::kRepeatLazy: ok = Repeat(pc++, in, &position); break;
        case Op::kAssert:
        case Op::kAtomic: {
          std::size_t sub_end = position;
          ok = Run(pc + 1, position, &sub_end) != (in.b == 1);
          if (in.op == Op::kAtomic) position = sub_end;
          pc = in.a;
          break;
        }
        case Op::kBehind:
          ok = AssertBehind(regex.sets_[in.a], position) != (in.b == 1);
          ++pc;
          break;
        case Op::kMatch:
          *end = position;
          stack->resize(base);
          return true;
        default: ok = Anchor(in.op, position); ++pc;
      }
      if (!ok && !Backtrack(base, &pc, &position)) return false;
    }
  }
};

bool Regex::Find(std::string_view text, std::size_t from, RegexScratch* scratch,
                 Match* match) const {
  Attempt attempt{*this, text, scratch, kMaxSteps + 16 * static_cast<std::int64_t>(text.size())};
  for (std::size_t i = from; i <= text.size() && attempt.steps >= 0; ++i) {
    if (i < text.size()) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (IsContinuation(text[i]) || (!may_be_empty_ && !first_[byte])) continue;
    } else if (!may_be_empty_) {
      return false;
    }
    scratch->clear();
    if (attempt.Run(0, i, &match->end)) {
      match->begin = i;
      return true;
    }
  }
  return false;
}

// Adds to `bytes` what a match from `pc` on can begin with; true if it can be empty (or that is
// unclear).
bool Regex::AddFirstBytes(std::uint32_t pc, ByteSet* bytes) const {
  const auto add_set = [bytes](const CharSet& set) {
    for (unsigned byte = 0; byte < 0x100; ++byte) {
      if (byte >= 0x80 || set.MatchesAscii(static_cast<unsigned char>(byte))) bytes->set(byte);
    }
  };
  // Each instruction that can be reached without taking a character is looked at once.
  std::vector<bool> seen(program_.size());
  std::vector<std::uint32_t> open = {pc};
  while (!open.empty()) {
    pc = open.back();
    open.pop_back();
    if (seen[pc]) continue;
    seen[pc] = true;
    const Instruction& in = program_[pc];
    switch (in.op) {
      case Op::kSet: add_set(sets_[in.a]); break;
      case Op::kSplit:
      case Op::kSplitLazy:
        open.push_back(pc + 1);
        open.push_back(in.a);
        break;
      case Op::kJump:
      case Op::kAssert: open.push_back(in.a); break;
      case Op::kRepeat:
      case Op::kRepeatAll:
      case Op::kRepeatLazy:
        add_set(sets_[in.a]);
        if (in.b == 0) open.push_back(pc + 1);
        break;
      case Op::kMatch: return true;  // of an atomic group, too, which then may be empty
      default: open.push_back(pc + 1);
    }
  }
  return false;
}

// True where the program from `pc` on cannot fail.
bool Regex::AlwaysMatches(std::uint32_t pc) const {
  for (int steps = 0; steps < 100; ++steps) {
    const Instruction& in = program_[pc];
    const bool repeat = in.op == Op::kRepeat || in.op == Op::kRepeatAll || in.op == Op::kRepeatLazy;
    if (in.op == Op::kMatch) return true;
    if (in.op == Op::kJump) {
      pc = in.a;
    } else if (repeat && in.b == 0) {
      ++pc;
    } else {
      return false;
    }
  }
  return false;
}

// True where giving characters back cannot help the repetition at `pc`: what follows either matches
// anyhow, or begins with a character that the repetition does not take.
bool Regex::NeedNotGiveBack(std::uint32_t pc) const {
  std::uint32_t next = pc + 1;
  while (program_[next].op == Op::kJump) next = program_[next].a;
  if (AlwaysMatches(next)) return true;
  const Instruction& in = program_[next];
  const bool repeat = in.op == Op::kRepeat || in.op == Op::kRepeatAll || in.op == Op::kRepeatLazy;
  if (in.op != Op::kSet && !(repeat && in.b > 0)) return false;
  const CharSet& mine = sets_[program_[pc].a];
  const CharSet& theirs = sets_[in.a];
  if ((mine.ascii[0] & theirs.ascii[0]) != 0 || (mine.ascii[1] & theirs.ascii[1]) != 0)
    return false;
  const auto same = [](const CharSet::Item& a, const CharSet::Item& b) {
    return a.first == b.first && a.last == b.last && a.flags == b.flags &&
           a.categories == b.categories && a.negated == b.negated;
  };
  const auto only_ascii = [](const CharSet& set) {
    return !set.negated && std::ranges::all_of(set.items, [](const CharSet::Item& item) {
      return item.flags == 0 && item.categories == 0 && !item.negated && item.last < 0x80;
    });
  };
  if (only_ascii(mine) || only_ascii(theirs)) return true;
  // [^…X…] and X.
  return mine.negated && !theirs.negated &&
         std::ranges::all_of(theirs.items, [&](const CharSet::Item& item) {
           return std::ranges::any_of(
               mine.items, [&](const CharSet::Item& other) { return same(item, other); });
         });
}

void Regex::Optimise() {
  for (std::uint32_t pc = 0; pc < program_.size(); ++pc) {
    if (program_[pc].op == Op::kRepeat && NeedNotGiveBack(pc)) program_[pc].op = Op::kRepeatAll;
  }
  may_be_empty_ = AddFirstBytes(0, &first_);
  std::uint32_t splits = 0;
  for (Instruction& in : program_) {
    if (in.op == Op::kSplit) in.b = splits++;
  }
  branches_.resize(splits);
  // From the end, so that a split whose second branch is a split can look through it. A loop's jump
  // back meets a split that is not filled in yet, but only jumps lead there, and they are not
  // looked through.
  for (auto pc = static_cast<std::uint32_t>(program_.size()); pc-- > 0;) {
    const Instruction& in = program_[pc];
    if (in.op != Op::kSplit) continue;
    ByteSet mine, others;
    const bool mine_empty = AddFirstBytes(pc + 1, &mine);
    const bool others_empty = AddFirstBytes(in.a, &others);
    const bool chained = program_[in.a].op == Op::kSplit && in.a > pc;
    for (std::size_t byte = 0; byte <= 256; ++byte) {
      const bool mine_can = mine_empty || (byte < 256 && mine[byte]);
      const bool others_can = others_empty || (byte < 256 && others[byte]);
      Branch rest = {others_can ? static_cast<std::uint16_t>(in.a) : kNowhere, kNowhere};
      if (chained) rest = branches_[program_[in.a].b][byte];
      Branch& branch = branches_[in.b][byte];
      if (!mine_can) {
        branch = rest;
        continue;
      }
      branch.first = static_cast<std::uint16_t>(pc + 1);
      // More than one alternative left: the next split chooses again.
      branch.other = rest.first == kNowhere   ? kNowhere
                     : rest.other == kNowhere ? rest.first
                                              : static_cast<std::uint16_t>(in.a);
    }
  }
}

}  // namespace hone::text
