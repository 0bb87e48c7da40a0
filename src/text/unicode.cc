#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <vector>

#include "text/unicode_differences.h"

namespace hone::text {
namespace {

bool In(std::span<const Range> ranges, char32_t rune) {
  for (const Range& range : ranges) {
    if (rune <= range.last) return rune >= range.first;
  }
  return false;
}

// The one canonical decomposition that came after Unicode 9.
constexpr char32_t kNewComposite = 0x11938;

struct Categories {
  bool letter, mark, number, punctuation, word;
};

Categories Classify(int category) {
  Categories c = {};
  c.letter = category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
  c.mark = category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
  c.number = category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
  c.punctuation = category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
  c.word = c.letter || c.mark || category == UTF8PROC_CATEGORY_ND ||
           category == UTF8PROC_CATEGORY_NL || category == UTF8PROC_CATEGORY_PC;
  return c;
}

// Flags by category alone, without the lists above.
std::uint16_t BaseFlags(char32_t rune) {
  const auto code = static_cast<utf8proc_int32_t>(rune);
  const utf8proc_property_t* property = utf8proc_get_property(code);
  const Categories c = Classify(property->category);
  unsigned flags = 0;
  if (c.letter) flags |= kLetter;
  if (c.mark) flags |= kMark | kCombining;
  if (c.number) flags |= kNumber | kNumeric;
  if (c.punctuation || (rune < 0x80 && IsAsciiPunctuation(static_cast<unsigned char>(rune)))) {
    flags |= kPunctuation;
  }
  if (c.word) flags |= kWord | kRegexWord;
  if (property->category == UTF8PROC_CATEGORY_MN) flags |= kNonspacing;
  if (property->category == UTF8PROC_CATEGORY_ND) flags |= kDigit;
  if (utf8proc_tolower(code) != code || rune == 0x130) flags |= kHasLower;
  // decomp_type is 0 for a canonical decomposition; Hangul syllables decompose by rule.
  const bool decomposes = property->decomp_seqindex != UINT16_MAX;
  const bool hangul = rune >= 0xAC00 && rune <= 0xD7A3;
  if (hangul || property->combining_class != 0 || (decomposes && property->decomp_type == 0)) {
    flags |= kNfdActive | kNfkdActive;
  }
  if (decomposes) flags |= kNfkdActive;
  return static_cast<std::uint16_t>(flags);
}

struct Correction {
  std::span<const Range> ranges;
  std::uint16_t set, clear;
};

const std::span<const Correction> Corrections() {
  static constexpr Correction kCorrections[] = {
      {kWhitespaceRanges, kWhitespace, 0},
      {kChineseRanges, kChinese, 0},
      {kControlRanges, kControl, 0},
      {kNotPunctuation, 0, kPunctuation},
      {kFormerPunctuation, kPunctuation, 0},
      {kNotNonspacing, 0, kNonspacing},
      {kFormerNonspacing, kNonspacing, 0},
      {kNotCombining, 0, kCombining},
      {kFormerCombining, kCombining, 0},
      {kNewNumeric, kNumeric, 0},
      {kNewLetter, kLetter, 0},
      {kNewNumber, kNumber | kDigit, 0},
      {kNewMark, kMark, 0},
      {kMoreWord, kWord | kRegexWord, 0},
      {kMoreRegexWord, kRegexWord, 0},
      {kJoiners, kWord, 0},
      {kNoCombiningClass, 0, kNfdActive | kNfkdActive},
      {kNoCompatibility, 0, kNfkdActive},
  };
  return kCorrections;
}

}  // namespace

std::uint16_t ComputeCharFlags(char32_t rune) {
  unsigned flags = BaseFlags(rune);
  for (const Correction& correction : Corrections()) {
    if (In(correction.ranges, rune)) flags = (flags | correction.set) & ~unsigned{correction.clear};
  }
  for (const CaseRange& range : kNewLower) {
    if (rune >= range.first && rune <= range.last) flags |= kHasLower;
  }
  return static_cast<std::uint16_t>(flags);
}

const std::uint16_t* CharFlagTable() {
  static const std::vector<std::uint16_t> table = [] {
    std::vector<std::uint16_t> flags(kTableSize);
    for (char32_t rune = 0; rune < kTableSize; ++rune) flags[rune] = BaseFlags(rune);
    // A correction at a time, since searching its list for each code point would take far longer.
    for (const Correction& correction : Corrections()) {
      for (const Range& range : correction.ranges) {
        for (char32_t rune = range.first; rune <= range.last && rune < kTableSize; ++rune) {
          flags[rune] = static_cast<std::uint16_t>((flags[rune] | correction.set) &
                                                   ~unsigned{correction.clear});
        }
      }
    }
    for (const CaseRange& range : kNewLower) {
      for (char32_t rune = range.first; rune <= range.last; ++rune) flags[rune] |= kHasLower;
    }
    return flags;
  }();
  return table.data();
}

int ToLower(char32_t rune, char32_t out[2]) {
  if (rune == 0x130) {  // the only unconditional mapping of SpecialCasing.txt that is longer
    out[0] = 'i';
    out[1] = 0x307;
    return 2;
  }
  for (const CaseRange& range : kNewLower) {
    if (rune >= range.first && rune <= range.last) {
      out[0] = range.lower + (rune - range.first);
      return 1;
    }
  }
  out[0] = static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(rune)));
  return 1;
}

int Decompose(char32_t rune, bool compatibility, char32_t out[kMaxDecomposition]) {
  out[0] = rune;
  if (rune == kNewComposite || (compatibility && In(kNoCompatibility, rune))) return 1;
  utf8proc_int32_t buffer[kMaxDecomposition];
  int unused_boundary = 0;
  const int options = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | (compatibility ? UTF8PROC_COMPAT : 0);
  const auto size =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(rune), buffer, kMaxDecomposition,
                              static_cast<utf8proc_option_t>(options), &unused_boundary);
  if (size < 1 || size > kMaxDecomposition) return 1;
  for (int i = 0; i < size; ++i) out[i] = static_cast<char32_t>(buffer[i]);
  return static_cast<int>(size);
}

char32_t Compose(char32_t first, char32_t second) {
  utf8proc_int32_t pair[3] = {static_cast<utf8proc_int32_t>(first),
                              static_cast<utf8proc_int32_t>(second), 0};
  const auto size = utf8proc_normalize_utf32(
      pair, 2, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (size != 1 || pair[0] == static_cast<utf8proc_int32_t>(kNewComposite)) return 0;
  return static_cast<char32_t>(pair[0]);
}

int CombiningClass(char32_t rune) {
  if (In(kNoCombiningClass, rune)) return 0;
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(rune))->combining_class;
}

std::uint32_t CategorySet(std::string_view name) {
  // In the order of utf8proc_category_t.
  static constexpr std::string_view kNames[] = {
      "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps",
      "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co"};
  std::uint32_t set = 0;
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name || (name.size() == 1 && kNames[i][0] == name[0])) set |= 1u << i;
  }
  return set;
}

std::uint32_t CategoryBit(char32_t rune) {
  const auto* range =
      std::lower_bound(std::begin(kNewCategories), std::end(kNewCategories), rune,
                       [](const CategoryRange& r, char32_t value) { return r.last < value; });
  if (range != std::end(kNewCategories) && rune >= range->first) return 1u << range->category;
  return 1u << utf8proc_get_property(static_cast<utf8proc_int32_t>(rune))->category;
}

int DisplayColumns(char32_t rune) {
  return utf8proc_charwidth(static_cast<utf8proc_int32_t>(rune));
}

bool GraphemeBreak(char32_t before, char32_t after, std::int32_t* state) {
  return utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(before),
                                          static_cast<utf8proc_int32_t>(after), state);
}

}  // namespace hone::text
