#include <utility>

#include "text/regex_reader.h"

namespace hone::text {
namespace {

constexpr int kMaxNesting = 64;

}  // namespace

// Compiles while it parses: what is parsed so far is a list of instructions whose jumps are
// absolute, so that code that has to go in front of other code moves it (Insert).
class RegexCompiler : private RegexReader {
 public:
  using RegexReader::RegexReader;

  base::StatusOr<Regex> Compile() {
    HONE_RETURN_IF_ERROR(Alternatives(0));
    if (!AtEnd()) return Fail("unmatched )");
    Add(Op::kMatch);
    regex_.Optimise();
    return std::move(regex_);
  }

  Regex CompileLiteral() {
    while (!AtEnd()) AddLiteralCharacter(Next());
    Add(Op::kMatch);
    regex_.Optimise();
    return std::move(regex_);
  }

 private:
  using CharSet = Regex::CharSet;
  using Op = Regex::Op;
  using Code = std::vector<Regex::Instruction>;

  Code& code() { return regex_.program_; }
  std::uint32_t Here() { return static_cast<std::uint32_t>(code().size()); }
  void Add(Op op, std::uint32_t a = 0, std::uint32_t b = 0, std::uint32_t c = 0) {
    code().push_back({op, a, b, c});
  }
  static bool HasTarget(Op op) {
    return op == Op::kSplit || op == Op::kSplitLazy || op == Op::kJump || op == Op::kAssert ||
           op == Op::kAtomic;
  }
  // Puts an instruction in front of the code from `begin` on.
  void Insert(std::uint32_t begin, Regex::Instruction instruction) {
    for (std::size_t i = begin; i < code().size(); ++i) {
      if (HasTarget(code()[i].op)) ++code()[i].a;
    }
    code().insert(code().begin() + begin, instruction);
  }
  // Appends a copy of `piece`, which stood at `begin`.
  void AppendCopy(const Code& piece, std::uint32_t begin) {
    const std::uint32_t shift = Here() - begin;
    for (Regex::Instruction instruction : piece) {
      if (HasTarget(instruction.op)) instruction.a += shift;
      code().push_back(instruction);
    }
  }

  base::Status Alternatives(int depth) {
    if (depth > kMaxNesting) return Fail("groups are nested too deeply");
    const bool outer_case = ignore_case_;
    std::vector<std::uint32_t> jumps;
    while (true) {
      const std::uint32_t begin = Here();
      HONE_RETURN_IF_ERROR(Concatenation(depth));
      if (Peek() != '|' || AtEnd()) break;
      ++at_;
      Insert(begin, {Op::kSplit});
      jumps.push_back(Here());
      Add(Op::kJump);
      code()[begin].a = Here();
    }
    for (const std::uint32_t jump : jumps) code()[jump].a = Here();
    ignore_case_ = outer_case;
    return base::OkStatus();
  }

  base::Status Concatenation(int depth) {
    while (!AtEnd() && Peek() != '|' && Peek() != ')') {
      const std::uint32_t begin = Here();
      HONE_RETURN_IF_ERROR(Atom(depth));
      HONE_RETURN_IF_ERROR(Quantifiers(begin));
      if (Here() > Regex::kMaxInstructions) return Fail("the pattern is too long");
    }
    return base::OkStatus();
  }

  base::Status Atom(int depth) {
    const char c = Peek();
    if (c == '(') return Group(depth);
    if (c == '[') {
      CharSet set;
      HONE_RETURN_IF_ERROR(Class(&set));
      AddSet(std::move(set));
      return base::OkStatus();
    }
    if (c == '\\') return Escape();
    ++at_;
    switch (c) {
      case '^': Add(Op::kLineBegin); return base::OkStatus();
      case '$': Add(Op::kLineEnd); return base::OkStatus();
      case '.': {
        CharSet set;
        AddRange('\n', '\n', &set);
        set.negated = true;
        AddSet(std::move(set));
        return base::OkStatus();
      }
      case '*':
      case '+':
      case '?': return Fail("nothing to repeat");
      default:
        --at_;
        AddLiteralCharacter(Next());
        return base::OkStatus();
    }
  }

  void AddSet(CharSet set) {
    FinishSet(&set);
    Add(Op::kSet, static_cast<std::uint32_t>(regex_.sets_.size()));
    regex_.sets_.push_back(std::move(set));
  }
  void AddLiteralCharacter(char32_t c) {
    CharSet set;
    AddLiteral(c, ignore_case_, &set);
    AddSet(std::move(set));
  }

  base::Status Group(int depth) {
    ++at_;  // (
    const std::uint32_t begin = Here();
    if (Take("?i)")) {  // for the rest of the enclosing group
      ignore_case_ = true;
      return base::OkStatus();
    }
    const bool outer_case = ignore_case_;
    enum { kPlainGroup, kAhead, kBehindGroup, kAtomicGroup } kind = kPlainGroup;
    bool negated = false;
    if (Take("?i:")) {
      ignore_case_ = true;
    } else if (Take("?=") || Take("?!")) {
      kind = kAhead;
      negated = pattern_[at_ - 1] == '!';
    } else if (Take("?<=") || Take("?<!")) {
      kind = kBehindGroup;
      negated = pattern_[at_ - 1] == '!';
    } else if (Take("?>")) {
      kind = kAtomicGroup;
    } else if (Peek() == '?' && !Take("?:")) {
      return Fail("this kind of group is not supported");
    }
    HONE_RETURN_IF_ERROR(Alternatives(depth + 1));
    if (!Take(")")) return Fail("expected )");
    ignore_case_ = outer_case;
    if (kind == kBehindGroup) {
      if (Here() != begin + 1 || code()[begin].op != Op::kSet) {
        return Fail("look-behind of more than one character is not supported");
      }
      code()[begin] = {Op::kBehind, code()[begin].a, negated ? 1u : 0u, 0};
    } else if (kind != kPlainGroup) {
      Add(Op::kMatch);
      Insert(begin, {kind == kAhead ? Op::kAssert : Op::kAtomic, 0, negated ? 1u : 0u, 0});
      code()[begin].a = Here();
    }
    return base::OkStatus();
  }

  base::Status Quantifiers(std::uint32_t begin) {
    while (!AtEnd()) {
      std::uint32_t least = 0, most = kInfinite;
      bool counted = false;
      if (Take("*")) {
      } else if (Take("+")) {
        least = 1;
      } else if (Take("?")) {
        most = 1;
      } else if (Peek() == '{') {
        HONE_RETURN_IF_ERROR(Counts(&least, &most, &counted));
        if (!counted) {
          AddLiteralCharacter('{');
          return base::OkStatus();
        }
      } else {
        return base::OkStatus();
      }
      // {n,m}+ repeats again in this syntax; it does not make the repetition possessive.
      Op op = Op::kRepeat;
      if (Take("?")) {
        op = Op::kRepeatLazy;
      } else if (!counted && Take("+")) {
        op = Op::kRepeatAll;
      }
      HONE_RETURN_IF_ERROR(Repeat(begin, least, most, op));
    }
    return base::OkStatus();
  }

  base::Status Repeat(std::uint32_t begin, std::uint32_t least, std::uint32_t most, Op op) {
    if (begin == Here()) return base::OkStatus();  // repeats nothing
    if (Here() == begin + 1 && code()[begin].op == Op::kSet) {
      code()[begin] = {op, code()[begin].a, least, most};
      return base::OkStatus();
    }
    const Code piece(code().begin() + begin, code().end());
    const std::uint64_t copies = most == kInfinite ? std::uint64_t{least} + 1 : most;
    if (copies * (piece.size() + 2) > Regex::kMaxInstructions) return Fail("too many repetitions");
    code().resize(begin);
    for (std::uint32_t i = 0; i < least; ++i) AppendCopy(piece, begin);
    const Op split = op == Op::kRepeatLazy ? Op::kSplitLazy : Op::kSplit;
    if (most == kInfinite) {
      const std::uint32_t loop = Here();
      Add(split);
      AppendCopy(piece, begin);
      Add(Op::kJump, loop);
      code()[loop].a = Here();
    } else {
      std::vector<std::uint32_t> splits;
      for (std::uint32_t i = least; i < most; ++i) {
        splits.push_back(Here());
        Add(split);
        AppendCopy(piece, begin);
      }
      for (const std::uint32_t at : splits) code()[at].a = Here();
    }
    if (op == Op::kRepeatAll) {
      Add(Op::kMatch);
      Insert(begin, {Op::kAtomic});
      code()[begin].a = Here();
    }
    return base::OkStatus();
  }

  base::Status Escape() {
    const std::size_t start = at_;
    ++at_;
    const char c = Peek();
    const Op anchor = c == 'A'   ? Op::kTextBegin
                      : c == 'z' ? Op::kTextEnd
                      : c == 'b' ? Op::kWordEdge
                      : c == 'B' ? Op::kNotWordEdge
                                 : Op::kMatch;
    if (!AtEnd() && anchor != Op::kMatch) {
      ++at_;
      Add(anchor);
      return base::OkStatus();
    }
    at_ = start;
    CharSet set;
    char32_t literal = 0;
    bool is_literal = false;
    HONE_RETURN_IF_ERROR(EscapedSet(&set, &literal, &is_literal));
    if (is_literal) AddLiteral(literal, ignore_case_, &set);
    AddSet(std::move(set));
    return base::OkStatus();
  }

  Regex regex_;
};

base::StatusOr<Regex> Regex::Compile(std::string_view pattern, std::string_view where) {
  return RegexCompiler(pattern, where).Compile();
}

Regex Regex::Literal(std::string_view text) {
  return RegexCompiler(text, "").CompileLiteral();
}

}  // namespace hone::text
