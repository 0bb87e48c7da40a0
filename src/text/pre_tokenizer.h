// The "pre_tokenizer" of tokenizer.json: cuts text into the pieces that the model sees one by one.
//
// Supported  BertPreTokenizer, Whitespace, WhitespaceSplit, Punctuation, Digits,
//            CharDelimiterSplit, Metaspace, ByteLevel, Split (text or regular expression),
//            Sequence.
// Source     huggingface/tokenizers, tokenizers/src/pre_tokenizers.
#pragma once

#include <memory>
#include <vector>

#include "base/json.h"
#include "text/aligned_text.h"
#include "text/regex.h"

namespace hone::text {

struct Piece {
  std::uint32_t begin, end;
  bool is_match = false;  // while a pattern is applied
};

struct PreTokenizerScratch {
  AlignedText buffers[2];
  std::vector<Piece> next, matches;
  RegexScratch regex;

  AlignedText* Free(const TextView& in) {
    AlignedText* buffer = &buffers[buffers[0].Holds(in) ? 1 : 0];
    buffer->Clear();
    return buffer;
  }
};

// The pieces of one text, in order; none is empty.
struct Pieces {
  TextView view;
  std::vector<Piece> list;
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Replaces the pieces by theirs. The new view may live in scratch.
  virtual void Split(Pieces* pieces, PreTokenizerScratch* scratch) const = 0;
};

struct ByteLevelFacts {
  // In: the model takes bytes as they are. Out: the last step is ByteLevel and left the spelling of
  // bytes as GPT-2's alphabet out, since the model's vocabulary is in bytes, too.
  bool raw_bytes = false;
};

base::StatusOr<std::unique_ptr<PreTokenizer>> PreTokenizerFromJson(const base::JsonValue& json,
                                                                   ByteLevelFacts* byte_level);

std::unique_ptr<PreTokenizer> MakeBertPreTokenizer();
// Every match of the pattern is a piece, and so is what lies between.
std::unique_ptr<PreTokenizer> MakeIsolatingSplit(Regex regex);
std::unique_ptr<PreTokenizer> MakeByteLevel(bool add_prefix_space, bool use_regex, bool raw_bytes);
enum class PrependScheme { kFirst, kNever, kAlways };
std::unique_ptr<PreTokenizer> MakeMetaspace(char32_t replacement, PrependScheme scheme, bool split);

}  // namespace hone::text
