#include <algorithm>
#include <array>
#include <limits>

#include "text/aligned_text.h"
#include "text/byte_trie.h"
#include "text/model.h"

namespace hone::text {
namespace {

// The segmentation of the highest total score. Source: Kudo 2018, arXiv:1804.10959, §3.2.
class Unigram final : public Model {
 public:
  Unigram(Vocabulary vocabulary, std::vector<double> scores, const UnigramOptions& options)
      : vocabulary_(std::move(vocabulary)), scores_(std::move(scores)), options_(options) {
    std::vector<std::pair<std::string_view, std::int32_t>> keys;
    keys.reserve(scores_.size());
    double lowest = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < scores_.size(); ++i) {
      const std::string_view token = vocabulary_.Token(static_cast<std::int32_t>(i));
      // Of equal tokens the last one's id and score count.
      if (!token.empty()) keys.push_back({token, vocabulary_.Find(token)});
      lowest = std::min(lowest, scores_[i]);
    }
    constexpr double kUnknownPenalty = 10;  // of the original and of SentencePiece
    unknown_score_ = lowest - kUnknownPenalty;
    trie_ = ByteTrie(std::move(keys));
    for (unsigned byte = 0; byte < 256; ++byte) {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      const char token[] = {'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'};
      fallback_[byte] = vocabulary_.Find({token, sizeof token});
    }
  }

  const Vocabulary& vocabulary() const override { return vocabulary_; }

  void Tokenize(std::string_view piece, ModelScratch* scratch,
                std::vector<PieceToken>* tokens) const override {
    auto& best = scratch->best;
    best.assign(piece.size() + 1, {0, -1, 0, false});
    best[0].reached = true;
    for (std::size_t begin = 0; begin < piece.size();) {
      const auto size = static_cast<std::size_t>(SequenceSize(piece[begin]));
      const double score = best[begin].score;
      bool single = false;
      const auto offer = [&](std::size_t length, std::int32_t id, double total) {
        ModelScratch::Best& end = best[begin + length];
        if (!end.reached || total > end.score) {
          end = {total, id, static_cast<std::uint32_t>(begin), true};
        }
      };
      trie_.Prefixes(piece.substr(begin), [&](std::size_t length, std::int32_t id) {
        offer(length, id, score + scores_[static_cast<std::size_t>(id)]);
        single |= length == size;
      });
      if (!single) offer(size, options_.unk_id.value_or(-1), score + unknown_score_);
      begin += size;
    }
    Collect(piece, best, tokens);
  }

 private:
  bool IsUnknown(std::int32_t id) const { return id < 0 || id == options_.unk_id; }

  // Follows the best path back from the end; a run of unknown characters is one token.
  void Collect(std::string_view piece, const std::vector<ModelScratch::Best>& best,
               std::vector<PieceToken>* tokens) const {
    const std::size_t first = tokens->size();
    for (auto end = static_cast<std::uint32_t>(piece.size()); end > 0;) {
      const ModelScratch::Best& node = best[end];
      std::uint32_t begin = node.begin;
      if (!IsUnknown(node.id)) {
        tokens->push_back({node.id, begin, end});
      } else {
        while (begin > 0 && IsUnknown(best[begin].id)) begin = best[begin].begin;
        AddUnknown(piece.substr(begin, end - begin), begin, tokens);
      }
      end = begin;
    }
    std::reverse(tokens->begin() + static_cast<std::ptrdiff_t>(first), tokens->end());
  }

  // In reverse, as Collect goes. Every byte token covers the whole run.
  void AddUnknown(std::string_view run, std::uint32_t begin,
                  std::vector<PieceToken>* tokens) const {
    const auto end = begin + static_cast<std::uint32_t>(run.size());
    const std::int32_t whole = vocabulary_.Find(run);
    if (whole >= 0) {
      tokens->push_back({whole, begin, end});
      return;
    }
    const bool spelled = options_.byte_fallback && std::ranges::all_of(run, [&](char c) {
                           return fallback_[static_cast<unsigned char>(c)] >= 0;
                         });
    if (spelled) {
      for (std::size_t i = run.size(); i-- > 0;) {
        tokens->push_back({fallback_[static_cast<unsigned char>(run[i])], begin, end});
      }
    } else if (options_.unk_id) {
      tokens->push_back({*options_.unk_id, begin, end});
    }
  }

  const Vocabulary vocabulary_;
  const std::vector<double> scores_;
  const UnigramOptions options_;
  ByteTrie trie_;
  double unknown_score_ = 0;
  std::array<std::int32_t, 256> fallback_;
};

}  // namespace

base::StatusOr<std::unique_ptr<Model>> MakeUnigram(Vocabulary vocabulary,
                                                   std::vector<double> scores,
                                                   const UnigramOptions& options,
                                                   std::string_view where) {
  if (options.unk_id &&
      (*options.unk_id < 0 || static_cast<std::size_t>(*options.unk_id) >= scores.size())) {
    return base::BadInput(where, ": unk_id ", *options.unk_id, " is not in the vocabulary of ",
                          scores.size());
  }
  return std::make_unique<Unigram>(std::move(vocabulary), std::move(scores), options);
}

}  // namespace hone::text
