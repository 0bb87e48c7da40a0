// The "added_tokens" of tokenizer.json: tokens cut out of the text before the model sees it.
// Source  huggingface/tokenizers, tokenizers/src/tokenizer/added_vocabulary.rs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "text/byte_trie.h"
#include "text/normalizer.h"
#include "text/vocabulary.h"

namespace hone::text {

struct AddedToken {
  std::string content;
  std::int32_t id = -1;  // -1: the vocabulary's, else the next free one
  bool single_word = false, lstrip = false, rstrip = false, normalized = false, special = false;
};

class AddedTokens {
 public:
  // Gives ids to those that have none and indexes them. `normalizer` may be null.
  static AddedTokens Make(std::vector<AddedToken> tokens, const Vocabulary& vocabulary,
                          const Normalizer* normalizer);

  struct Match {
    std::size_t begin, end;
    std::int32_t id;
  };
  // The next token at or after `from`: of those matched before normalisation, or of those after it.
  // `cut` is where the text left over begins: lstrip does not reach before it.
  bool Find(std::string_view text, std::size_t from, std::size_t cut, bool normalized,
            Match* match) const;
  bool empty(bool normalized) const { return normalized ? !has_normalized_ : !has_plain_; }

  const AddedToken* Get(std::int32_t id) const;
  std::int32_t Find(std::string_view content) const;
  std::int32_t id_limit() const { return id_limit_; }
  std::size_t not_in_vocabulary() const { return not_in_vocabulary_; }
  // What stands for the token while decoding: its normalised form where it is matched in that.
  const std::string& DecodeText(const AddedToken& token) const;

 private:
  std::vector<AddedToken> tokens_;
  TokenTable index_;                     // content → index in tokens_
  std::vector<std::string> normalized_;  // one for each token
  std::vector<std::int32_t> by_id_;      // index in tokens_, or -1
  std::int32_t id_limit_ = 0;
  std::size_t not_in_vocabulary_ = 0;
  bool has_plain_ = false, has_normalized_ = false;
  ByteTrie plain_trie_, normalized_trie_;  // text → index
};

base::StatusOr<std::vector<AddedToken>> AddedTokensFromJson(const base::JsonValue& list);

}  // namespace hone::text
