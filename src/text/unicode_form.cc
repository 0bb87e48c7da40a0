#include <algorithm>

#include "text/normalizer.h"
#include "text/unicode.h"

namespace hone::text {

void AppendDecomposition(char32_t rune, bool compatibility, std::vector<RuneChange>* changes,
                         std::size_t* sorted) {
  char32_t parts[kMaxDecomposition] = {rune};
  const bool active = Has(rune, compatibility ? kNfkdActive : kNfdActive);
  const int count = active ? Decompose(rune, compatibility, parts) : 1;
  for (int i = 0; i < count; ++i) {
    const int combining_class = active ? CombiningClass(parts[i]) : 0;
    if (combining_class == 0) SortPending(changes, sorted);
    changes->push_back({parts[i], static_cast<std::int16_t>(i == 0 ? 0 : 1),
                        static_cast<std::int16_t>(combining_class)});
    // A starter is final where it stands; only what follows it may move.
    if (combining_class == 0) *sorted = changes->size();
  }
}

void SortPending(std::vector<RuneChange>* changes, std::size_t* sorted) {
  // Insertion sort: stable, allocates nothing, and runs of marks are short. A hostile run of
  // thousands goes to the library's sort.
  const auto begin = changes->begin() + static_cast<std::ptrdiff_t>(*sorted);
  const auto before = [](const RuneChange& a, const RuneChange& b) {
    return a.combining_class < b.combining_class;
  };
  *sorted = changes->size();
  if (changes->end() - begin > 64) return std::stable_sort(begin, changes->end(), before);
  for (auto i = begin; i != changes->end(); ++i) {
    for (auto j = i; j != begin && before(*j, *(j - 1)); --j) std::swap(*j, *(j - 1));
  }
}

namespace {

// Starters that can be the second part of a composite; a closed list, by Unicode's stability
// policy.
bool IsComposingStarter(char32_t rune) {
  if (rune < 0x9BE || (rune > 0x1B35 && rune < 0x11127)) return false;
  if ((rune >= 0x1161 && rune <= 0x1175) || (rune >= 0x11A8 && rune <= 0x11C2)) return true;
  static constexpr char32_t kOthers[] = {0x9BE,   0x9D7,   0xB3E,   0xB56,   0xB57,   0xBBE,
                                         0xBD7,   0xCC2,   0xCD5,   0xCD6,   0xD3E,   0xD57,
                                         0xDCF,   0xDDF,   0x102E,  0x1B35,  0x11127, 0x1133E,
                                         0x11357, 0x114B0, 0x114BA, 0x114BD, 0x115AF, 0x11930};
  return std::binary_search(std::begin(kOthers), std::end(kOthers), rune);
}

// Joins decomposed code points again (Unicode 15 §3.11 D117). The change of a composite is that of
// its parts together, less one for each part that it swallowed.
void ComposeChanges(const std::vector<RuneChange>& in, std::vector<RuneChange>* out) {
  out->clear();
  std::ptrdiff_t starter = -1;  // index in out
  int last_class = -1;          // of the mark before; -1: nothing stands between
  for (const RuneChange& next : in) {
    if (starter >= 0 && last_class < next.combining_class &&
        (next.combining_class != 0 || IsComposingStarter(next.rune))) {
      RuneChange& first = (*out)[static_cast<std::size_t>(starter)];
      if (const char32_t composite = Compose(first.rune, next.rune); composite != 0) {
        first.rune = composite;
        first.change = static_cast<std::int16_t>(first.change + next.change - 1);
        continue;
      }
    }
    if (next.combining_class == 0) {
      starter = static_cast<std::ptrdiff_t>(out->size());
      last_class = -1;
    } else if (starter >= 0) {
      last_class = next.combining_class;
    }
    out->push_back(next);
  }
}

class UnicodeFormNormalizer final : public Normalizer {
 public:
  explicit UnicodeFormNormalizer(UnicodeForm form)
      : compatibility_(form == UnicodeForm::kNfkc || form == UnicodeForm::kNfkd),
        compose_(form == UnicodeForm::kNfc || form == UnicodeForm::kNfkc) {}

  TextView Normalize(const TextView& in, NormalizerScratch* scratch) const override {
    std::size_t i = InertPrefix(in.text, 0);
    if (i == in.text.size()) return in;
    AlignedText* out = scratch->Free(in);
    Rewriter rewriter(in, out);
    while (true) {
      rewriter.Copy(i - rewriter.position());
      if (i == in.text.size()) break;
      const std::size_t end = ActiveEnd(in.text, i);
      Rewrite(in.text.substr(i, end - i), scratch, &rewriter);
      i = InertPrefix(in.text, rewriter.position());
    }
    return out->view();
  }

 private:
  // A character that the form leaves alone and that does not combine with the one before it. It may
  // still combine with a mark that follows, so that a composing form rewrites it with that mark.
  bool Inert(std::string_view text, std::size_t i, int* size) const {
    const char32_t rune = DecodeValid(text.data() + i, size);
    if (rune < 0x80) return true;
    if (compose_ && !compatibility_) {
      // All of these blocks are NFC already: Latin, its additions, Hangul syllables.
      if (rune < 0x300 || (rune >= 0x1E00 && rune <= 0x1EFF)) return true;
      if (rune >= 0xAC00 && rune <= 0xD7A3) return true;
    }
    if (compose_ && IsComposingStarter(rune)) return false;
    return !Has(rune, compatibility_ ? kNfkdActive : kNfdActive);
  }

  std::size_t InertPrefix(std::string_view text, std::size_t begin) const {
    std::size_t i = begin, last = begin;
    while (true) {
      const std::size_t ascii = AsciiPrefix(text.substr(i));
      if (ascii > 0) last = i + ascii - 1;
      i += ascii;
      if (i == text.size()) return i;
      int size;
      if (!Inert(text, i, &size)) return compose_ ? last : i;
      last = i;
      i += static_cast<std::size_t>(size);
    }
  }

  // From a place where rewriting starts to the next pair of inert characters.
  std::size_t ActiveEnd(std::string_view text, std::size_t begin) const {
    int size;
    DecodeValid(text.data() + begin, &size);
    std::size_t i = begin + static_cast<std::size_t>(size);
    while (i < text.size() && !Inert(text, i, &size)) i += static_cast<std::size_t>(size);
    return i;
  }

  void Rewrite(std::string_view text, NormalizerScratch* scratch, Rewriter* rewriter) const {
    scratch->changes.clear();
    std::size_t sorted = 0;
    for (std::size_t i = 0; i < text.size();) {
      int size;
      const char32_t rune = DecodeValid(text.data() + i, &size);
      AppendDecomposition(rune, compatibility_, &scratch->changes, &sorted);
      i += static_cast<std::size_t>(size);
    }
    SortPending(&scratch->changes, &sorted);
    if (compose_) ComposeChanges(scratch->changes, &scratch->composed);
    for (const RuneChange& c : compose_ ? scratch->composed : scratch->changes) {
      rewriter->Emit(c.rune, c.change);
    }
  }

  const bool compatibility_, compose_;
};

}  // namespace

std::unique_ptr<Normalizer> MakeUnicodeForm(UnicodeForm form) {
  return std::make_unique<UnicodeFormNormalizer>(form);
}

}  // namespace hone::text
