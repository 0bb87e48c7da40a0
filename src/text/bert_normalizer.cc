#include <array>

#include "text/normalizer.h"
#include "text/unicode.h"

namespace hone::text {
namespace {

// BertNormalizer. ASCII goes through a table in one pass; other runs go through the steps of the
// original one after the other, which is exact because no step looks across an ASCII character.
class BertNormalizer final : public Normalizer {
 public:
  BertNormalizer(bool clean_text, bool chinese, bool strip_accents, bool lower_case)
      : clean_text_(clean_text),
        chinese_(chinese),
        strip_accents_(strip_accents),
        lower_case_(lower_case) {
    for (int c = 0; c < 128; ++c) {
      const bool space = c == '\t' || c == '\n' || c == '\r' || c == ' ';
      const bool removed = clean_text && !space && (c < 32 || c == 127);
      const bool upper = c >= 'A' && c <= 'Z';
      ascii_[static_cast<std::size_t>(c)] = static_cast<char>(removed               ? kRemoved
                                                              : clean_text && space ? ' '
                                                              : lower_case && upper ? c + 32
                                                                                    : c);
    }
  }

  TextView Normalize(const TextView& in, NormalizerScratch* scratch) const override {
    AlignedText* out = scratch->Free(in);
    out->Reserve(in.text.size());
    for (std::size_t i = 0; i < in.text.size();) {
      const std::size_t ascii = AsciiPrefix(in.text.substr(i));
      AppendAscii(in, i, i + ascii, out);
      i += ascii;
      std::size_t end = i;
      while (end < in.text.size() && static_cast<unsigned char>(in.text[end]) >= 0x80) ++end;
      if (end > i) AppendOther(in, i, end, scratch, out);
      i = end;
    }
    return out->view();
  }

 private:
  static constexpr char kRemoved = static_cast<char>(0xFF);  // never an ASCII byte

  void AppendAscii(const TextView& in, std::size_t begin, std::size_t end, AlignedText* out) const {
    out->Reserve(end - begin);
    char* text = out->text_end();
    Span* origin = out->origin_end();
    std::size_t size = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const char c = ascii_[static_cast<unsigned char>(in.text[i])];
      text[size] = c;
      const auto at = static_cast<std::uint32_t>(in.base + i);
      origin[size] = in.origin != nullptr ? in.origin[i] : Span{at, at + 1};
      size += c != kRemoved ? 1 : 0;
    }
    out->Advance(size);
  }

  // A run without ASCII: clean, pad ideographs, decompose, drop marks, lower the case.
  void AppendOther(const TextView& in, std::size_t begin, std::size_t end,
                   NormalizerScratch* scratch, AlignedText* out) const {
    std::vector<RuneOrigin>& items = scratch->items;
    items.clear();
    bool decomposes = false;
    for (std::size_t i = begin; i < end;) {
      int size;
      const char32_t rune = DecodeValid(in.text.data() + i, &size);
      const Span origin = in.ByteOrigin(i);
      i += static_cast<std::size_t>(size);
      const std::uint16_t flags = CharFlags(rune);
      if (clean_text_ && (flags & (kControl | kWhitespace)) != 0) {
        if ((flags & kControl) == 0) items.push_back({' ', origin});
        continue;
      }
      const bool pad = chinese_ && (flags & kChinese) != 0;
      if (pad) items.push_back({' ', origin});
      items.push_back({rune, origin});
      if (pad) items.push_back({' ', origin});
      decomposes |= (flags & kNfdActive) != 0;
    }
    if (strip_accents_ && decomposes) {
      DecomposeItems(begin == 0 ? Span{} : in.ByteOrigin(begin - 1), scratch);
    }
    for (const RuneOrigin& item : items) AppendStripped(item, out);
  }

  void AppendStripped(const RuneOrigin& item, AlignedText* out) const {
    const std::uint16_t flags = CharFlags(item.rune);
    if (strip_accents_ && (flags & kNonspacing) != 0) return;
    if (!lower_case_ || (flags & kHasLower) == 0) {
      out->AppendRune(item.rune, item.origin);
      return;
    }
    char32_t lower[2];
    const int count = ToLower(item.rune, lower);
    for (int i = 0; i < count; ++i) out->AppendRune(lower[i], item.origin);
  }

  // scratch->items in NFD. As in the original, a mark that changed its place takes the origin of
  // the source character that stood there; `before` is the origin of what precedes the run.
  static void DecomposeItems(Span before, NormalizerScratch* scratch) {
    std::vector<RuneOrigin>& items = scratch->items;
    scratch->changes.clear();
    std::size_t sorted = 0;
    for (const RuneOrigin& item : items) {
      AppendDecomposition(item.rune, false, &scratch->changes, &sorted);
    }
    SortPending(&scratch->changes, &sorted);
    scratch->decomposed.clear();
    std::size_t source = 0;
    for (const RuneChange& change : scratch->changes) {
      if (change.change == 0 && source < items.size()) ++source;
      const Span origin = source == 0 ? before : items[source - 1].origin;
      scratch->decomposed.push_back({change.rune, origin});
    }
    items.swap(scratch->decomposed);
  }

  std::array<char, 128> ascii_;
  const bool clean_text_, chinese_, strip_accents_, lower_case_;
};

}  // namespace

std::unique_ptr<Normalizer> MakeBertNormalizer(bool clean_text, bool chinese, bool strip_accents,
                                               bool lower_case) {
  return std::make_unique<BertNormalizer>(clean_text, chinese, strip_accents, lower_case);
}

}  // namespace hone::text
