// Text to token ids, as Hugging Face tokenizers define it.
//
// Usage
//   HONE_ASSIGN_OR_RETURN(auto tokenizer,
//                         text::Tokenizer::FromJson(bytes, "minilm/tokenizer.json"));
//   text::Encoding encoding;  // reuse it: a warm Encode allocates nothing a token
//   tokenizer->EncodePair("two texts", "as a pair", {.max_tokens = 128}, &encoding);
//
// Thread-safety  const after construction; one Encoding (and its scratch) a thread.
// Limits         text of kMaxTextBytes; what is longer is cut off there, and `truncated` set. The
//                "padding" section of a file only tells the pad token: batches are never padded
//                here.
// Text           UTF-8. Invalid bytes become U+FFFD first (base/utf8.h); offsets then refer to the
//                bytes given: a replaced part covers the bytes it replaced.
// Errors         only at construction: an unsupported component is named with its JSON path.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace hone::text {

// Half-open range of bytes of the original text; {0,0} for a special token.
struct Span {
  std::uint32_t begin = 0, end = 0;
  bool operator==(const Span&) const = default;
};

// Which text of a pair gives way when there are too many tokens.
enum class Truncation : std::uint8_t { kLongestFirst, kOnlyFirst, kOnlySecond };

struct EncodeOptions {
  static constexpr int kFileLimit =
      -1;  // as the "truncation" section of the file says, if it has one

  bool add_special_tokens = true;
  int max_tokens = 0;  // special tokens included; 0: no limit; kFileLimit
  Truncation truncation = Truncation::kLongestFirst;
  bool truncate_left = false;  // drop tokens at the beginning rather than at the end
};

struct EncodingScratch;  // the tokenizer's working memory; see tokenizer.cc

struct Encoding {
  Encoding();
  ~Encoding();
  Encoding(Encoding&&) noexcept;
  Encoding& operator=(Encoding&&) noexcept;

  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> types;  // 0 and 1, or what the post-processor's template says
  std::vector<Span> offsets;
  std::vector<std::int32_t> word;     // index of the pre-token; -1 for special tokens
  std::vector<std::int8_t> sequence;  // 0 or 1: which text; -1 for special tokens
  bool truncated = false;

  std::unique_ptr<EncodingScratch> scratch;
};

// The ids of a SentencePiece model's pieces. The models of XLM-R and CamemBERT were trained with
// fairseq, whose own special tokens come first:
//   kPieces     as they are numbered in the file
//   kXlmRoberta <s> <pad> </s> <unk>, then the pieces from 3 on, then <mask>: a piece's number + 1
//   kCamembert  <s>NOTUSED <pad> </s>NOTUSED <unk> <unk>NOTUSED, then the pieces from 1 on, then
//               <mask>: a piece's number + 4
// Both of fairseq's put a text between <s> and </s>.
enum class SentencePieceIds : std::uint8_t { kPieces, kXlmRoberta, kCamembert };

class Tokenizer {
 public:
  static constexpr std::size_t kMaxTextBytes = std::size_t{1} << 30;

  virtual ~Tokenizer() = default;

  // tokenizer.json as it is. `source` names it in errors.
  static base::StatusOr<std::unique_ptr<Tokenizer>> FromJson(std::string_view bytes,
                                                             std::string_view source);
  // The older file sets.
  static base::StatusOr<std::unique_ptr<Tokenizer>> FromWordPieceVocab(std::string_view vocab_txt,
                                                                       std::string_view source,
                                                                       bool lower_case);
  static base::StatusOr<std::unique_ptr<Tokenizer>> FromByteLevelBpe(std::string_view vocab_json,
                                                                     std::string_view merges_txt,
                                                                     std::string_view source);
  static base::StatusOr<std::unique_ptr<Tokenizer>> FromSentencePiece(
      std::string_view model, std::string_view source,
      SentencePieceIds ids = SentencePieceIds::kPieces);

  virtual void Encode(std::string_view text, const EncodeOptions& options,
                      Encoding* encoding) const = 0;
  virtual void EncodePair(std::string_view first, std::string_view second,
                          const EncodeOptions& options, Encoding* encoding) const = 0;

  virtual const std::string& source() const = 0;  // the file it is from, for errors
  virtual int vocabulary_size() const = 0;        // added tokens included
  // Above every id that Encode can give: ids may have holes, and a template names its own.
  virtual std::int32_t id_limit() const = 0;
  virtual std::optional<std::int32_t> Id(std::string_view token) const = 0;
  virtual std::string_view Token(std::int32_t id) const = 0;  // empty where there is none
  virtual bool IsSpecial(std::int32_t id) const = 0;
  // Joined text of ids, by the decoder of the file.
  virtual std::string Decode(std::span<const std::int32_t> ids, bool skip_special) const = 0;
  // Special tokens by role, where the file (or tokenizer_config.json, given by the caller) has
  // them.
  virtual std::optional<std::int32_t> mask_id() const = 0;
  virtual std::optional<std::int32_t> pad_id() const = 0;
  // max_length of the file's "truncation" section; 0 without one.
  virtual int file_max_tokens() const = 0;
  // Special tokens that Encode (pair: EncodePair) adds.
  virtual int added_special_tokens(bool pair) const = 0;
};

// An error that names file and token where an id is beyond the `rows` of a model's embedding.
base::Status CheckIds(const Tokenizer& tokenizer, int rows);

}  // namespace hone::text
