#include <algorithm>

#include "text/aligned_text.h"
#include "text/model.h"

namespace hone::text {
namespace {

// Greedy longest match from the left; a word that cannot be covered is one unknown token.
// Source: Wu et al. 2016, arXiv:1609.08144, as google-research/bert does it.
class WordPiece final : public Model {
 public:
  WordPiece(Vocabulary vocabulary, const WordPieceOptions& options, std::int32_t unk)
      : vocabulary_(std::move(vocabulary)),
        prefix_(options.prefix),
        max_characters_(static_cast<std::size_t>(options.max_characters)),
        unk_(unk) {
    for (std::int32_t id = 0; id < vocabulary_.id_limit(); ++id) {
      const std::string_view token = vocabulary_.Token(id);
      if (token.size() > prefix_.size() && token.starts_with(prefix_)) {
        // The id that counts is the one that the text finds, should a text have two.
        continuations_.Insert(token.substr(prefix_.size()), vocabulary_.Find(token));
      }
    }
  }

  const Vocabulary& vocabulary() const override { return vocabulary_; }

  void Tokenize(std::string_view piece, ModelScratch*,
                std::vector<PieceToken>* tokens) const override {
    const auto size = static_cast<std::uint32_t>(piece.size());
    const std::size_t first = tokens->size();
    if (CharactersUpTo(piece, max_characters_ + 1) <= max_characters_) {
      std::uint32_t begin = 0;
      while (begin < size) {
        const PieceToken token = Longest(piece, begin);
        if (token.id < 0) break;
        tokens->push_back(token);
        begin = token.end;
      }
      if (begin == size) return;
    }
    tokens->resize(first);
    tokens->push_back({unk_, 0, size});
  }

 private:
  static std::size_t CharactersUpTo(std::string_view text, std::size_t limit) {
    if (text.size() < limit) return text.size();  // no more characters than bytes
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size() && count < limit; ++i) {
      count += IsContinuation(text[i]) ? 0 : 1;
    }
    return count;
  }

  PieceToken Longest(std::string_view piece, std::uint32_t begin) const {
    const bool whole = begin == 0 || prefix_.empty();
    const std::size_t longest = whole ? vocabulary_.longest() : continuations_.longest();
    std::size_t end = std::min(piece.size(), begin + longest);
    for (; end > begin; --end) {
      if (end < piece.size() && IsContinuation(piece[end])) continue;
      const std::string_view text = piece.substr(begin, end - begin);
      const std::int32_t id = whole ? vocabulary_.Find(text) : continuations_.Find(text);
      if (id >= 0) return {id, begin, static_cast<std::uint32_t>(end)};
    }
    return {-1, begin, begin};
  }

  const Vocabulary vocabulary_;
  TokenTable continuations_;
  const std::string prefix_;
  const std::size_t max_characters_;
  const std::int32_t unk_;
};

}  // namespace

base::StatusOr<std::unique_ptr<Model>> MakeWordPiece(Vocabulary vocabulary,
                                                     const WordPieceOptions& options,
                                                     std::string_view where) {
  const std::int32_t unk = vocabulary.Find(options.unk_token);
  if (unk < 0) {
    return base::BadInput(where, ": the vocabulary lacks the unknown token \"", options.unk_token,
                          "\"");
  }
  if (options.max_characters < 0) {
    return base::BadInput(where, ": max_input_chars_per_word is negative");
  }
  return std::make_unique<WordPiece>(std::move(vocabulary), options, unk);
}

}  // namespace hone::text
