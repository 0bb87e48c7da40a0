#include "text/added_tokens.h"

#include <algorithm>

#include "text/unicode.h"

namespace hone::text {
namespace {

std::size_t CharacterBefore(std::string_view text, std::size_t position) {
  do --position;
  while (position > 0 && IsContinuation(text[position]));
  return position;
}

bool HasAt(std::string_view text, std::size_t position, std::uint16_t flags) {
  int size;
  return Has(DecodeValid(text.data() + position, &size), flags);
}

}  // namespace

AddedTokens AddedTokens::Make(std::vector<AddedToken> tokens, const Vocabulary& vocabulary,
                              const Normalizer* normalizer) {
  AddedTokens result;
  // The next id is one after the vocabulary's count, as in the original, not after its highest id.
  auto next_id = static_cast<std::int32_t>(vocabulary.size());
  result.tokens_.reserve(tokens.size());  // index_ points into the strings
  for (AddedToken& token : tokens) {
    if (token.content.empty()) continue;
    const std::int32_t known = vocabulary.Find(token.content);
    if (const std::int32_t same = result.index_.Find(token.content); same >= 0) {
      AddedToken& earlier = result.tokens_[static_cast<std::size_t>(same)];
      earlier.single_word = token.single_word;
      earlier.lstrip = token.lstrip;
      earlier.rstrip = token.rstrip;
      earlier.normalized = token.normalized;
      earlier.special = earlier.special || token.special;
      continue;
    }
    if (known >= 0) {
      token.id = known;
    } else {
      token.id = next_id++;
      ++result.not_in_vocabulary_;
    }
    result.tokens_.push_back(std::move(token));
    result.index_.Insert(result.tokens_.back().content,
                         static_cast<std::int32_t>(result.tokens_.size() - 1));
  }
  NormalizerScratch scratch;
  std::vector<std::pair<std::string_view, std::int32_t>> plain, normalized;
  result.normalized_.resize(result.tokens_.size());
  for (std::size_t i = 0; i < result.tokens_.size(); ++i) {
    const AddedToken& token = result.tokens_[i];
    std::string& text = result.normalized_[i];
    text = token.content;
    if (token.normalized && normalizer != nullptr) {
      text = std::string(normalizer->Normalize({token.content}, &scratch).text);
    }
    result.id_limit_ = std::max(result.id_limit_, token.id + 1);
  }
  for (std::size_t i = 0; i < result.tokens_.size(); ++i) {
    const bool after = result.tokens_[i].normalized;
    if (result.normalized_[i].empty()) continue;
    (after ? normalized : plain).emplace_back(result.normalized_[i], static_cast<std::int32_t>(i));
  }
  result.has_plain_ = !plain.empty();
  result.has_normalized_ = !normalized.empty();
  result.plain_trie_ = ByteTrie(std::move(plain));
  result.normalized_trie_ = ByteTrie(std::move(normalized));
  result.by_id_.assign(static_cast<std::size_t>(result.id_limit_), -1);
  for (std::size_t i = 0; i < result.tokens_.size(); ++i) {
    result.by_id_[static_cast<std::size_t>(result.tokens_[i].id)] = static_cast<std::int32_t>(i);
  }
  return result;
}

bool AddedTokens::Find(std::string_view text, std::size_t from, std::size_t cut, bool normalized,
                       Match* match) const {
  const ByteTrie& trie = normalized ? normalized_trie_ : plain_trie_;
  for (std::size_t i = from; i < text.size(); ++i) {
    if (!trie.CanBegin(static_cast<unsigned char>(text[i]))) continue;
    std::size_t length = 0;
    std::int32_t index = -1;
    trie.Prefixes(text.substr(i), [&](std::size_t size, std::int32_t value) {
      length = size;
      index = value;
    });
    if (index < 0) continue;
    const AddedToken& token = tokens_[static_cast<std::size_t>(index)];
    std::size_t begin = i, end = i + length;
    if (token.single_word && ((begin > 0 && HasAt(text, CharacterBefore(text, begin), kWord)) ||
                              (end < text.size() && HasAt(text, end, kWord)))) {
      i = end - 1;  // the search goes on behind what it had found
      continue;
    }
    if (token.lstrip) {
      while (begin > cut && HasAt(text, CharacterBefore(text, begin), kWhitespace)) {
        begin = CharacterBefore(text, begin);
      }
    }
    if (token.rstrip) {
      while (end < text.size() && HasAt(text, end, kWhitespace)) {
        end += static_cast<std::size_t>(SequenceSize(text[end]));
      }
    }
    *match = {begin, end, token.id};
    return true;
  }
  return false;
}

const AddedToken* AddedTokens::Get(std::int32_t id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= by_id_.size()) return nullptr;
  const std::int32_t index = by_id_[static_cast<std::size_t>(id)];
  return index < 0 ? nullptr : &tokens_[static_cast<std::size_t>(index)];
}

std::int32_t AddedTokens::Find(std::string_view content) const {
  const std::int32_t index = index_.Find(content);
  return index < 0 ? -1 : tokens_[static_cast<std::size_t>(index)].id;
}

const std::string& AddedTokens::DecodeText(const AddedToken& token) const {
  return token.normalized ? normalized_[static_cast<std::size_t>(&token - tokens_.data())]
                          : token.content;
}

base::StatusOr<std::vector<AddedToken>> AddedTokensFromJson(const base::JsonValue& list) {
  if (!list.IsArray()) return list.Error("expected an array of added tokens");
  std::vector<AddedToken> tokens;
  for (const base::JsonValue item : list) {
    AddedToken token;
    HONE_ASSIGN_OR_RETURN(const base::JsonValue content, item.Get("content"));
    HONE_ASSIGN_OR_RETURN(token.content, content.String());
    HONE_ASSIGN_OR_RETURN(token.special, item.BoolOr("special", false));
    HONE_ASSIGN_OR_RETURN(token.single_word, item.BoolOr("single_word", false));
    HONE_ASSIGN_OR_RETURN(token.lstrip, item.BoolOr("lstrip", false));
    HONE_ASSIGN_OR_RETURN(token.rstrip, item.BoolOr("rstrip", false));
    HONE_ASSIGN_OR_RETURN(token.normalized, item.BoolOr("normalized", !token.special));
    tokens.push_back(std::move(token));
  }
  return tokens;
}

}  // namespace hone::text
