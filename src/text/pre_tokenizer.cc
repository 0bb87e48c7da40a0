#include "text/pre_tokenizer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/utf8.h"
#include "text/json_fields.h"
#include "text/unicode.h"

namespace hone::text {
namespace {

// What becomes of the delimiters that a pattern matched.
enum class Behavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

// Turns the matches and the gaps between them (scratch->matches, in order, covering a piece) into
// pieces.
void ApplyBehavior(Behavior behavior, std::vector<Piece>* matches, std::vector<Piece>* out) {
  const bool backwards = behavior == Behavior::kMergedWithNext;
  if (backwards) std::reverse(matches->begin(), matches->end());
  const std::size_t first = out->size();
  bool previous = false;
  for (const Piece& piece : *matches) {
    if (behavior == Behavior::kRemoved) {
      if (!piece.is_match) out->push_back(piece);
      continue;
    }
    const bool merge = behavior == Behavior::kIsolated     ? false
                       : behavior == Behavior::kContiguous ? piece.is_match == previous
                                                           : piece.is_match && !previous;
    previous = piece.is_match;
    if (!merge || out->size() == first) {
      out->push_back(piece);
    } else if (backwards) {
      out->back().begin = piece.begin;
    } else {
      out->back().end = piece.end;
    }
  }
  if (backwards) std::reverse(out->begin() + static_cast<std::ptrdiff_t>(first), out->end());
  std::erase_if(*out, [](const Piece& piece) { return piece.begin == piece.end; });
}

// Steps that cut pieces but do not change their text.
class Cutter : public PreTokenizer {
 public:
  void Split(Pieces* pieces, PreTokenizerScratch* scratch) const final {
    scratch->next.clear();
    for (const Piece& piece : pieces->list) {
      Cut(pieces->view.text, piece, scratch);
    }
    pieces->list.swap(scratch->next);
  }

 protected:
  // Appends the parts of `piece` to scratch->next.
  virtual void Cut(std::string_view text, const Piece& piece,
                   PreTokenizerScratch* scratch) const = 0;
};

// Whitespace separates, every punctuation character stands alone.
class BertPreTokenizer final : public Cutter {
 public:
  BertPreTokenizer() {
    for (unsigned c = 0; c < 128; ++c) ascii_[c] = Kind(c);
  }

 private:
  enum : std::uint8_t { kWord, kSpace, kPunct };

  static std::uint8_t Kind(char32_t rune) {
    const std::uint16_t flags = CharFlags(rune);
    return (flags & kWhitespace) != 0 ? kSpace : (flags & kPunctuation) != 0 ? kPunct : kWord;
  }

  void Cut(std::string_view text, const Piece& piece, PreTokenizerScratch* scratch) const override {
    std::uint32_t word = piece.begin;
    for (std::uint32_t i = piece.begin; i < piece.end;) {
      const auto byte = static_cast<unsigned char>(text[i]);
      int size = 1;
      const std::uint8_t kind =
          byte < 0x80 ? ascii_[byte] : Kind(DecodeValid(text.data() + i, &size));
      const std::uint32_t next = i + static_cast<std::uint32_t>(size);
      if (kind != kWord) {
        if (word < i) scratch->next.push_back({word, i});
        if (kind == kPunct) scratch->next.push_back({i, next});
        word = next;
      }
      i = next;
    }
    if (word < piece.end) scratch->next.push_back({word, piece.end});
  }

  std::array<std::uint8_t, 128> ascii_;
};

// Matches single characters by their flags, or by their code point.
class CharacterCutter final : public Cutter {
 public:
  CharacterCutter(std::uint16_t flags, char32_t rune, Behavior behavior)
      : flags_(flags), rune_(rune), behavior_(behavior) {
    for (unsigned c = 0; c < 128; ++c) ascii_[c] = Matches(c);
  }

 private:
  bool Matches(char32_t rune) const { return flags_ != 0 ? Has(rune, flags_) : rune == rune_; }

  void Cut(std::string_view text, const Piece& piece, PreTokenizerScratch* scratch) const override {
    scratch->matches.clear();
    std::uint32_t gap = piece.begin;
    for (std::uint32_t i = piece.begin; i < piece.end;) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte < 0x80 && !ascii_[byte]) {
        ++i;
        continue;
      }
      int size;
      const char32_t rune = DecodeValid(text.data() + i, &size);
      const std::uint32_t next = i + static_cast<std::uint32_t>(size);
      if (byte < 0x80 || Matches(rune)) {
        if (gap < i) scratch->matches.push_back({gap, i, false});
        scratch->matches.push_back({i, next, true});
        gap = next;
      }
      i = next;
    }
    if (gap < piece.end) scratch->matches.push_back({gap, piece.end, false});
    if (scratch->matches.size() == 1 && !scratch->matches[0].is_match) {
      scratch->next.push_back(piece);
    } else {
      if (behavior_ == Behavior::kIsolated) {
        scratch->next.insert(scratch->next.end(), scratch->matches.begin(), scratch->matches.end());
      } else {
        ApplyBehavior(behavior_, &scratch->matches, &scratch->next);
      }
    }
  }

  const std::uint16_t flags_;
  const char32_t rune_;
  const Behavior behavior_;
  std::array<bool, 128> ascii_;
};

// \w+|[^\w\s]+ : runs of word characters, and runs of what is neither word nor space.
class WhitespaceCutter final : public Cutter {
  static int Kind(char32_t rune) {
    const std::uint16_t flags = CharFlags(rune);
    return (flags & kWord) != 0 ? 0 : (flags & kWhitespace) != 0 ? 1 : 2;
  }
  void Cut(std::string_view text, const Piece& piece, PreTokenizerScratch* scratch) const override {
    std::uint32_t run = piece.begin;
    int run_kind = 1;
    for (std::uint32_t i = piece.begin; i < piece.end;) {
      int size;
      const int kind = Kind(DecodeValid(text.data() + i, &size));
      if (kind != run_kind) {
        if (run_kind != 1) scratch->next.push_back({run, i});
        run = i;
        run_kind = kind;
      }
      i += static_cast<std::uint32_t>(size);
    }
    if (run_kind != 1 && run < piece.end) scratch->next.push_back({run, piece.end});
  }
};

// Cuts at the matches of a regular expression.
class RegexCutter final : public Cutter {
 public:
  RegexCutter(Regex regex, Behavior behavior, bool invert)
      : regex_(std::move(regex)), behavior_(behavior), invert_(invert) {}

 private:
  void Cut(std::string_view whole, const Piece& piece,
           PreTokenizerScratch* scratch) const override {
    const std::string_view text = whole.substr(piece.begin, piece.end - piece.begin);
    scratch->matches.clear();
    std::vector<Piece>& out = behavior_ == Behavior::kIsolated ? scratch->next : scratch->matches;
    std::size_t gap = 0, from = 0;
    const auto add = [&](std::size_t begin, std::size_t end, bool is_match) {
      if (begin < end || is_match) {
        out.push_back({piece.begin + static_cast<std::uint32_t>(begin),
                       piece.begin + static_cast<std::uint32_t>(end), is_match != invert_});
      }
    };
    Regex::Match match;
    while (from <= text.size() && regex_.Find(text, from, &scratch->regex, &match)) {
      const bool empty = match.begin == match.end;
      if (!empty || match.begin != gap) {
        add(gap, match.begin, false);
        if (!empty) add(match.begin, match.end, true);
        gap = match.end;
      }
      from = match.end;
      if (empty)
        from += from < text.size() ? static_cast<std::size_t>(SequenceSize(text[from])) : 1;
    }
    add(gap, text.size(), false);
    if (behavior_ != Behavior::kIsolated)
      ApplyBehavior(behavior_, &scratch->matches, &scratch->next);
  }

  const Regex regex_;
  const Behavior behavior_;
  const bool invert_;
};

class Sequence final : public PreTokenizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<PreTokenizer>> steps) : steps_(std::move(steps)) {}
  void Split(Pieces* pieces, PreTokenizerScratch* scratch) const override {
    for (const auto& step : steps_) step->Split(pieces, scratch);
  }

 private:
  const std::vector<std::unique_ptr<PreTokenizer>> steps_;
};

base::StatusOr<Behavior> BehaviorFromJson(const base::JsonValue& json, std::string_view fallback) {
  HONE_ASSIGN_OR_RETURN(const std::string_view name, json.StringOr("behavior", fallback));
  if (name == "Removed") return Behavior::kRemoved;
  if (name == "Isolated") return Behavior::kIsolated;
  if (name == "MergedWithPrevious") return Behavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return Behavior::kMergedWithNext;
  if (name == "Contiguous") return Behavior::kContiguous;
  return json.Error(base::StrCat("unknown behavior \"", name, "\""));
}

base::StatusOr<char32_t> OneCharacter(const base::JsonValue& json, std::string_view field,
                                      std::string_view fallback) {
  HONE_ASSIGN_OR_RETURN(const std::string_view text, json.StringOr(field, fallback));
  if (!text.empty()) {
    const base::DecodedRune decoded = base::DecodeRune(text, 0);
    if (decoded.size == text.size()) return decoded.rune;
  }
  return json.Error(base::StrCat("\"", field, "\" must be one character"));
}

base::StatusOr<std::unique_ptr<PreTokenizer>> MetaspaceFromJson(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const char32_t mark, OneCharacter(json, "replacement", "▁"));
  HONE_ASSIGN_OR_RETURN(const std::string_view name, json.StringOr("prepend_scheme", "always"));
  HONE_ASSIGN_OR_RETURN(const bool add_prefix_space, json.BoolOr("add_prefix_space", true));
  HONE_ASSIGN_OR_RETURN(const bool split, json.BoolOr("split", true));
  PrependScheme scheme = PrependScheme::kAlways;
  if (name == "first") {
    scheme = PrependScheme::kFirst;
  } else if (name == "never") {
    scheme = PrependScheme::kNever;
  } else if (name != "always") {
    return json.Error(base::StrCat("unknown prepend_scheme \"", name, "\""));
  }
  if (!add_prefix_space) scheme = PrependScheme::kNever;
  return MakeMetaspace(mark, scheme, split);
}

base::StatusOr<std::unique_ptr<PreTokenizer>> SplitFromJson(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const Pattern pattern, PatternFromJson(json));
  HONE_ASSIGN_OR_RETURN(const Behavior behavior, BehaviorFromJson(json, ""));
  HONE_ASSIGN_OR_RETURN(const bool invert, json.BoolOr("invert", false));
  if (!pattern.is_regex) {
    return std::make_unique<RegexCutter>(Regex::Literal(pattern.text), behavior, invert);
  }
  HONE_ASSIGN_OR_RETURN(Regex regex, Regex::Compile(pattern.text, json.Where()));
  return std::make_unique<RegexCutter>(std::move(regex), behavior, invert);
}

base::StatusOr<std::unique_ptr<PreTokenizer>> SequenceFromJson(const base::JsonValue& json,
                                                               ByteLevelFacts* byte_level) {
  HONE_ASSIGN_OR_RETURN(const base::JsonValue list, json.Get("pretokenizers"));
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  int left = list.size();
  const bool allowed = byte_level->raw_bytes;
  byte_level->raw_bytes = false;
  for (const base::JsonValue item : list) {
    // Only the last step may leave bytes unspelt: a step after it would look at the spelling.
    byte_level->raw_bytes = allowed && --left == 0;
    HONE_ASSIGN_OR_RETURN(std::unique_ptr<PreTokenizer> step,
                          PreTokenizerFromJson(item, byte_level));
    steps.push_back(std::move(step));
  }
  return std::make_unique<Sequence>(std::move(steps));
}

base::StatusOr<std::unique_ptr<PreTokenizer>> ByteLevelFromJson(const base::JsonValue& json,
                                                                ByteLevelFacts* byte_level) {
  HONE_ASSIGN_OR_RETURN(const bool prefix, json.BoolOr("add_prefix_space", true));
  HONE_ASSIGN_OR_RETURN(const bool use_regex, json.BoolOr("use_regex", true));
  return MakeByteLevel(prefix, use_regex, byte_level->raw_bytes);
}

}  // namespace

base::StatusOr<std::unique_ptr<PreTokenizer>> PreTokenizerFromJson(const base::JsonValue& json,
                                                                   ByteLevelFacts* byte_level) {
  HONE_ASSIGN_OR_RETURN(const std::string_view type, ComponentType(json));
  if (type == "Sequence") return SequenceFromJson(json, byte_level);
  if (type == "ByteLevel") return ByteLevelFromJson(json, byte_level);
  byte_level->raw_bytes = false;
  if (type == "BertPreTokenizer") return MakeBertPreTokenizer();
  if (type == "Metaspace") return MetaspaceFromJson(json);
  if (type == "Split") return SplitFromJson(json);
  if (type == "Whitespace") return std::make_unique<WhitespaceCutter>();
  if (type == "WhitespaceSplit") {
    return std::make_unique<CharacterCutter>(kWhitespace, 0, Behavior::kRemoved);
  }
  if (type == "Punctuation") {
    HONE_ASSIGN_OR_RETURN(const Behavior behavior, BehaviorFromJson(json, "Isolated"));
    return std::make_unique<CharacterCutter>(kPunctuation, 0, behavior);
  }
  if (type == "Digits") {
    HONE_ASSIGN_OR_RETURN(const bool individual, json.BoolOr("individual_digits", false));
    return std::make_unique<CharacterCutter>(
        kNumeric, 0, individual ? Behavior::kIsolated : Behavior::kContiguous);
  }
  if (type == "CharDelimiterSplit") {
    HONE_ASSIGN_OR_RETURN(const char32_t delimiter, OneCharacter(json, "delimiter", ""));
    return std::make_unique<CharacterCutter>(0, delimiter, Behavior::kRemoved);
  }
  return UnsupportedComponent(json, "pre-tokenizer", type);
}

std::unique_ptr<PreTokenizer> MakeIsolatingSplit(Regex regex) {
  return std::make_unique<RegexCutter>(std::move(regex), Behavior::kIsolated, false);
}

std::unique_ptr<PreTokenizer> MakeBertPreTokenizer() {
  return std::make_unique<BertPreTokenizer>();
}

}  // namespace hone::text
