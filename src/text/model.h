// The "model" of tokenizer.json: turns one piece of text into ids.
//
// Supported  WordPiece, BPE (byte-level, character-level, byte_fallback, ignore_merges; dropout is
//            refused), Unigram (Viterbi, byte_fallback), WordLevel.
// Source     huggingface/tokenizers, tokenizers/src/models.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "text/vocabulary.h"

namespace hone::text {

// A token and the bytes of the piece that it covers.
struct PieceToken {
  std::int32_t id;
  std::uint32_t begin, end;
};

struct ModelScratch {
  struct Symbol {
    std::int32_t id;
    std::uint32_t size;  // bytes; 0: merged away
    std::int32_t before, after;
  };
  struct Best {
    double score;
    std::int32_t id;
    std::uint32_t begin;
    bool reached;
  };
  std::vector<Symbol> symbols;
  std::vector<std::uint64_t> queue;
  std::vector<Best> best;
  std::string text;
};

class Model {
 public:
  virtual ~Model() = default;
  // Appends the tokens of a piece that is not empty.
  virtual void Tokenize(std::string_view piece, ModelScratch* scratch,
                        std::vector<PieceToken>* tokens) const = 0;
  virtual const Vocabulary& vocabulary() const = 0;
  // Where not empty: cutting a piece in front of each run of this mark changes nothing, so that
  // words can be looked up one by one even where the file has no pre-tokenizer.
  virtual std::string_view word_mark() const { return {}; }
};

struct WordPieceOptions {
  std::string unk_token = "[UNK]";
  std::string prefix = "##";
  int max_characters = 100;
};
base::StatusOr<std::unique_ptr<Model>> MakeWordPiece(Vocabulary vocabulary,
                                                     const WordPieceOptions& options,
                                                     std::string_view where);

struct BpeOptions {
  std::optional<std::string> unk_token;
  std::string prefix, suffix;
  bool fuse_unk = false, byte_fallback = false, ignore_merges = false;
  // Pieces are bytes, and the vocabulary spells bytes in GPT-2's alphabet.
  bool raw_bytes = false;
};
struct Merge {
  std::int32_t left, right, merged;
};
// The earlier a merge, the sooner it is done.
base::StatusOr<std::unique_ptr<Model>> MakeBpe(Vocabulary vocabulary,
                                               const std::vector<Merge>& merges,
                                               const BpeOptions& options, std::string_view where);

struct UnigramOptions {
  std::optional<std::int32_t> unk_id;
  bool byte_fallback = false;
};
// Tokens have the ids 0 .. scores.size()-1.
base::StatusOr<std::unique_ptr<Model>> MakeUnigram(Vocabulary vocabulary,
                                                   std::vector<double> scores,
                                                   const UnigramOptions& options,
                                                   std::string_view where);

// `raw_bytes`: pieces arrive as bytes (only BPE can do that).
base::StatusOr<std::unique_ptr<Model>> ModelFromJson(const base::JsonValue& json, bool raw_bytes);

}  // namespace hone::text
