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
  std::int64_t steps = kMaxSteps;

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
      const std::size_t size = MatchSet(set, at);
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
          const ByteSet& first = regex.branches_[in.b];
          const bool possible = first.all() || (position < text.size() &&
                                                first[static_cast<unsigned char>(text[position])]);
          if (!possible) {
            pc = in.a;
            break;
          }
          stack->push_back({in.a, static_cast<std::uint32_t>(position), kPlain});
          ++pc;
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
  for (std::size_t i = from; i <= text.size(); ++i) {
    if (i < text.size()) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (IsContinuation(text[i]) || (!may_be_empty_ && !first_[byte])) continue;
    } else if (!may_be_empty_) {
      return false;
    }
    scratch->clear();
    Attempt attempt{*this, text, scratch};
    if (attempt.Run(0, i, &match->end)) {
      match->begin = i;
      return true;
    }
  }
  return false;
}

// Adds to `bytes` what a match from `pc` on can begin with; true if it can be empty (or that is
// unclear).
bool Regex::AddFirstBytes(std::uint32_t pc, int depth, ByteSet* bytes) const {
  constexpr int kMaxDepth = 200;
  if (depth > kMaxDepth) {
    bytes->set();
    return true;
  }
  const auto add_set = [&](const CharSet& set) {
    for (unsigned byte = 0; byte < 0x80; ++byte) {
      if (set.MatchesAscii(static_cast<unsigned char>(byte))) bytes->set(byte);
    }
    for (unsigned byte = 0x80; byte < 0x100; ++byte) bytes->set(byte);
  };
  const Instruction& in = program_[pc];
  switch (in.op) {
    case Op::kSet: add_set(sets_[in.a]); return false;
    case Op::kSplit:
    case Op::kSplitLazy: {
      const bool first = AddFirstBytes(pc + 1, depth + 1, bytes);
      return AddFirstBytes(in.a, depth + 1, bytes) || first;
    }
    case Op::kJump: return AddFirstBytes(in.a, depth + 1, bytes);
    case Op::kRepeat:
    case Op::kRepeatAll:
    case Op::kRepeatLazy:
      add_set(sets_[in.a]);
      return in.b == 0 && AddFirstBytes(pc + 1, depth + 1, bytes);
    case Op::kAtomic:
      return AddFirstBytes(pc + 1, depth + 1, bytes) && AddFirstBytes(in.a, depth + 1, bytes);
    case Op::kAssert: return AddFirstBytes(in.a, depth + 1, bytes);
    case Op::kMatch: return true;
    default: return AddFirstBytes(pc + 1, depth + 1, bytes);
  }
}

void Regex::FindFirstBytes() {
  branches_.clear();
  for (std::uint32_t pc = 0; pc < program_.size(); ++pc) {
    if (program_[pc].op != Op::kSplit) continue;
    ByteSet bytes;
    // All bits set stands for "may be empty": then a look at the next byte proves nothing.
    if (AddFirstBytes(pc + 1, 0, &bytes)) bytes.set();
    program_[pc].b = static_cast<std::uint32_t>(branches_.size());
    branches_.push_back(bytes);
  }
  may_be_empty_ = AddFirstBytes(0, 0, &first_);
}

}  // namespace hone::text
