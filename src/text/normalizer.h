// The "normalizer" of tokenizer.json: steps that rewrite text before it is split.
//
// Supported  BertNormalizer, NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, Replace,
//            Prepend, Sequence, Precompiled (SentencePiece's character map), Nmt, ByteLevel.
// Source     huggingface/tokenizers, tokenizers/src/normalizers.
#pragma once

#include <memory>
#include <vector>

#include "base/json.h"
#include "text/aligned_text.h"
#include "text/regex.h"

namespace hone::text {

// A code point to emit and its relation to the source; see Rewriter::Emit.
struct RuneChange {
  char32_t rune;
  std::int32_t change;
  std::int32_t combining_class;
};

struct RuneOrigin {
  char32_t rune;
  Span origin;
};

// Two buffers that steps write by turns, and lists that steps build; one a thread.
struct NormalizerScratch {
  AlignedText buffers[2];
  std::vector<RuneChange> changes;
  std::vector<RuneChange> composed;
  std::vector<RuneOrigin> items, decomposed;
  RegexScratch regex;

  // A cleared buffer that `in` does not live in.
  AlignedText* Free(const TextView& in) {
    AlignedText* buffer = &buffers[buffers[0].Holds(in) ? 1 : 0];
    buffer->Clear();
    return buffer;
  }
};

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  // The result lives in `in`'s memory or in scratch, until the next call but one.
  virtual TextView Normalize(const TextView& in, NormalizerScratch* scratch) const = 0;
};

// The error of an unsupported component names it and its path. Limits: steps that together could make a text
// more than 1,024 times as long are refused.
base::StatusOr<std::unique_ptr<Normalizer>> NormalizerFromJson(const base::JsonValue& json);

// Appends the decomposition of `rune` to `changes`; `sorted` is how many of them are in final
// order, and SortPending brings the rest, a run of non-starters, into canonical order.
void AppendDecomposition(char32_t rune, bool compatibility, std::vector<RuneChange>* changes,
                         std::size_t* sorted);
void SortPending(std::vector<RuneChange>* changes, std::size_t* sorted);

// The same steps for the older file sets.
std::unique_ptr<Normalizer> MakeBertNormalizer(bool clean_text, bool chinese, bool strip_accents,
                                               bool lower_case);
std::unique_ptr<Normalizer> MakeSequence(std::vector<std::unique_ptr<Normalizer>> steps);
std::unique_ptr<Normalizer> MakePrepend(std::string_view text);
std::unique_ptr<Normalizer> MakeReplace(std::string_view pattern, std::string_view content);
std::unique_ptr<Normalizer> MakeReplace(Regex pattern, std::string_view content);
std::unique_ptr<Normalizer> MakeStrip(bool left, bool right);

enum class UnicodeForm { kNfc, kNfd, kNfkc, kNfkd };
std::unique_ptr<Normalizer> MakeUnicodeForm(UnicodeForm form);

// Bytes that a character map may put in the place of a character: nmt_nfkc's longest (U+FDFA) has 33.
inline constexpr int kMaxCharsMapEntry = 40;

// SentencePiece's precompiled character map (charsmap.cc); `where` names it in errors.
base::StatusOr<std::unique_ptr<Normalizer>> MakeCharsMap(std::string_view bytes,
                                                         std::string_view where);

}  // namespace hone::text
