#include <algorithm>
#include <array>
#include <bit>

#include "text/aligned_text.h"
#include "text/byte_level.h"
#include "text/model.h"

namespace hone::text {
namespace {

// (left id, right id) → rank and merged id. Open addressing, at most half full.
class MergeTable {
 public:
  struct Value {
    std::uint32_t rank;
    std::int32_t merged;
  };
  static constexpr std::uint32_t kNoRank = 0xFFFFFFFF;

  explicit MergeTable(const std::vector<Merge>& merges)
      : slots_(std::bit_ceil(merges.size() * 2 + 2)), mask_(slots_.size() - 1) {
    for (std::size_t rank = 0; rank < merges.size(); ++rank) {
      const Merge& merge = merges[rank];
      const std::uint64_t key = Key(merge.left, merge.right);
      std::size_t i = Hash(key) & mask_;
      while (slots_[i].key != kNoKey && slots_[i].key != key) i = (i + 1) & mask_;
      // A merge that is listed twice has the later rank, as in the original.
      slots_[i] = {key, {static_cast<std::uint32_t>(rank), merge.merged}};
    }
  }

  Value Find(std::int32_t left, std::int32_t right) const {
    const std::uint64_t key = Key(left, right);
    for (std::size_t i = Hash(key) & mask_;; i = (i + 1) & mask_) {
      if (slots_[i].key == key) return slots_[i].value;
      if (slots_[i].key == kNoKey) return {kNoRank, -1};
    }
  }

 private:
  static constexpr std::uint64_t kNoKey = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t key = kNoKey;
    Value value = {kNoRank, -1};
  };
  static std::uint64_t Key(std::int32_t left, std::int32_t right) {
    return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32 |
           static_cast<std::uint32_t>(right);
  }
  static std::size_t Hash(std::uint64_t key) {
    key *= 0x9E3779B97F4A7C15u;
    return static_cast<std::size_t>(key ^ key >> 32);
  }
  std::vector<Slot> slots_;
  std::size_t mask_;
};

constexpr std::string_view kMark = "▁";

// Byte-pair encoding: of all neighbours that can be joined, the pair of the lowest rank, leftmost
// first, until none is left. Source: Sennrich et al. 2016, arXiv:1508.07909.
class Bpe final : public Model {
 public:
  Bpe(Vocabulary vocabulary, const std::vector<Merge>& merges, const BpeOptions& options)
      : vocabulary_(std::move(vocabulary)), merges_(merges), options_(options) {
    unk_ = options.unk_token ? vocabulary_.Find(*options.unk_token) : -1;
    for (unsigned byte = 0; byte < 256; ++byte) {
      char spelled[4];
      const char32_t rune = options.raw_bytes ? ByteToChar(static_cast<unsigned char>(byte)) : byte;
      const int size = EncodeRune(rune, spelled);
      const bool single = options.raw_bytes || byte < 0x80;
      bytes_[byte] = single ? vocabulary_.Find({spelled, static_cast<std::size_t>(size)}) : -1;
      fallback_[byte] = vocabulary_.Find(ByteToken(byte));
    }
    if (options.raw_bytes && options.ignore_merges) {
      for (std::int32_t id = 0; id < vocabulary_.id_limit(); ++id) {
        if (auto spelled = SpelledBytes(vocabulary_.Token(id))) whole_bytes_ += *spelled;
      }
      IndexWholeWords();
    }
    cuts_at_mark_ = CanCutAtMark(merges);
  }

  const Vocabulary& vocabulary() const override { return vocabulary_; }
  std::string_view word_mark() const override { return cuts_at_mark_ ? kMark : std::string_view(); }

  void Tokenize(std::string_view piece, ModelScratch* scratch,
                std::vector<PieceToken>* tokens) const override {
    const std::size_t first = tokens->size();
    if (options_.ignore_merges) {
      const std::int32_t id =
          options_.raw_bytes ? whole_words_.Find(piece) : vocabulary_.Find(piece);
      if (id >= 0) {
        tokens->push_back({id, 0, static_cast<std::uint32_t>(piece.size())});
        return;
      }
    }
    scratch->symbols.clear();
    bool dropped = false;
    if (options_.raw_bytes) {
      for (const char c : piece) dropped |= !AddRawByte(static_cast<unsigned char>(c), scratch);
      if (dropped) UseSpelledSizes(piece, scratch);
    } else {
      AddCharacters(piece, scratch);
    }
    constexpr std::size_t kFewSymbols = 24;  // up to here scanning beats keeping a queue
    if (scratch->symbols.size() <= kFewSymbols) {
      MergeFew(&scratch->symbols);
    } else {
      MergeMany(scratch);
    }
    std::uint32_t begin = 0;
    for (const ModelScratch::Symbol& symbol : scratch->symbols) {
      if (symbol.size == 0) continue;
      tokens->push_back({symbol.id, begin, begin + symbol.size});
      begin += symbol.size;
    }
    if (dropped) SpelledToRaw(piece, first, tokens);
  }

 private:
  static std::string ByteToken(unsigned byte) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    return {'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'};
  }

  void IndexWholeWords() {
    const char* at = whole_bytes_.data();
    for (std::int32_t id = 0; id < vocabulary_.id_limit(); ++id) {
      const auto spelled = SpelledBytes(vocabulary_.Token(id));
      if (!spelled || spelled->empty()) continue;
      whole_words_.Insert({at, spelled->size()}, vocabulary_.Find(vocabulary_.Token(id)));
      at += spelled->size();
    }
  }

  // True where no merge joins something with a mark that follows it: then words never influence
  // each other, and a mark begins one.
  bool CanCutAtMark(const std::vector<Merge>& merges) const {
    if (options_.raw_bytes || options_.ignore_merges || !options_.prefix.empty() ||
        !options_.suffix.empty() || vocabulary_.Find(kMark) < 0) {
      return false;
    }
    for (const Merge& merge : merges) {
      const std::string_view token = vocabulary_.Token(merge.merged);
      const std::size_t first_other = [&] {
        std::size_t i = 0;
        while (token.substr(i).starts_with(kMark)) i += kMark.size();
        return i;
      }();
      if (token.find(kMark, first_other) != std::string_view::npos) return false;
    }
    return true;
  }

  static void AddSymbol(std::int32_t id, std::uint32_t size, ModelScratch* scratch) {
    scratch->symbols.push_back({id, size, 0, 0});
  }

  // An unknown character; with fuse_unk a run of them is one symbol. Without an unknown token the
  // original drops the character and counts the bytes of what follows from there.
  void AddUnknown(std::uint32_t size, ModelScratch* scratch) const {
    if (unk_ < 0) return;
    auto& symbols = scratch->symbols;
    // An unknown symbol is marked by `before` until the run ends.
    if (options_.fuse_unk && !symbols.empty() && symbols.back().before == kUnknownRun) {
      symbols.back().size += size;
      return;
    }
    symbols.push_back({unk_, size, kUnknownRun, 0});
  }

  // False where the byte is dropped.
  bool AddRawByte(unsigned char byte, ModelScratch* scratch) const {
    if (bytes_[byte] >= 0) {
      AddSymbol(bytes_[byte], 1, scratch);
      return true;
    }
    AddUnknown(1, scratch);
    return unk_ >= 0;
  }

  // The original counts in the spelling of the bytes, where a byte is one or two bytes long. Where
  // bytes were dropped its offsets are off by what they were, and so must these be: symbols get the
  // sizes of their spelling, and the tokens are turned back.
  static std::uint32_t SpelledSize(char byte) {
    return ByteToChar(static_cast<unsigned char>(byte)) < 0x80 ? 1 : 2;
  }
  void UseSpelledSizes(std::string_view piece, ModelScratch* scratch) const {
    std::size_t symbol = 0;
    for (const char c : piece) {
      if (bytes_[static_cast<unsigned char>(c)] < 0) continue;
      scratch->symbols[symbol++].size = SpelledSize(c);
    }
  }
  static void SpelledToRaw(std::string_view piece, std::size_t first,
                           std::vector<PieceToken>* tokens) {
    std::uint32_t raw = 0, spelled_end = 0;  // spelled_end: where byte raw-1 ends
    for (std::size_t t = first; t < tokens->size(); ++t) {
      PieceToken& token = (*tokens)[t];
      // The byte in which a spelled place lies.
      const auto byte_at = [&](std::uint32_t place) {
        while (spelled_end <= place && raw < piece.size()) spelled_end += SpelledSize(piece[raw++]);
        return raw - 1;
      };
      const std::uint32_t end = token.end;
      token.begin = byte_at(token.begin);
      token.end = byte_at(end - 1) + 1;
    }
  }

  void AddCharacters(std::string_view piece, ModelScratch* scratch) const {
    const bool plain = options_.prefix.empty() && options_.suffix.empty();
    for (std::size_t i = 0; i < piece.size();) {
      const auto byte = static_cast<unsigned char>(piece[i]);
      const auto size = static_cast<std::size_t>(SequenceSize(piece[i]));
      const std::string_view character = piece.substr(i, size);
      std::int32_t id;
      if (plain) {
        id = byte < 0x80 ? bytes_[byte] : vocabulary_.Find(character);
      } else {
        std::string& text = scratch->text;
        text.clear();
        if (i > 0) text += options_.prefix;
        text += character;
        if (i + size == piece.size()) text += options_.suffix;
        id = vocabulary_.Find(text);
      }
      if (id >= 0) {
        AddSymbol(id, static_cast<std::uint32_t>(size), scratch);
      } else if (!AddFallback(plain ? character : std::string_view(scratch->text), scratch)) {
        AddUnknown(static_cast<std::uint32_t>(size), scratch);
      }
      i += size;
    }
  }

  // The character's bytes as <0xNN> tokens, where byte_fallback is on and all of them exist.
  bool AddFallback(std::string_view text, ModelScratch* scratch) const {
    if (!options_.byte_fallback) return false;
    for (const char c : text) {
      if (fallback_[static_cast<unsigned char>(c)] < 0) return false;
    }
    for (const char c : text) AddSymbol(fallback_[static_cast<unsigned char>(c)], 1, scratch);
    return true;
  }

  // Quadratic in the number of symbols, without any other memory; `before` holds the rank of the
  // pair that a symbol forms with the next one, `after` the merged id.
  void MergeFew(std::vector<ModelScratch::Symbol>* symbols) const {
    auto& s = *symbols;
    std::size_t count = s.size();
    std::array<MergeTable::Value, 32> pairs;
    for (std::size_t i = 0; i + 1 < count; ++i) pairs[i] = merges_.Find(s[i].id, s[i + 1].id);
    while (count > 1) {
      std::size_t best = 0;
      for (std::size_t i = 1; i + 1 < count; ++i) {
        if (pairs[i].rank < pairs[best].rank) best = i;
      }
      if (pairs[best].rank == MergeTable::kNoRank) break;
      s[best].id = pairs[best].merged;
      s[best].size += s[best + 1].size;
      for (std::size_t i = best + 1; i + 1 < count; ++i) {
        s[i] = s[i + 1];
        pairs[i] = pairs[i + 1];
      }
      --count;
      if (best > 0) pairs[best - 1] = merges_.Find(s[best - 1].id, s[best].id);
      if (best + 1 < count) pairs[best] = merges_.Find(s[best].id, s[best + 1].id);
    }
    s.resize(count);
  }

  // A queue of (rank, place); an entry that no longer holds is passed over.
  void MergeMany(ModelScratch* scratch) const {
    auto& s = scratch->symbols;
    auto& queue = scratch->queue;
    const auto count = static_cast<std::int32_t>(s.size());
    const auto at = [&s](std::int32_t i) -> ModelScratch::Symbol& {
      return s[static_cast<std::size_t>(i)];
    };
    for (std::int32_t i = 0; i < count; ++i) {
      at(i).before = i - 1;
      at(i).after = i + 1 < count ? i + 1 : -1;
    }
    queue.clear();
    const auto push = [&](std::int32_t i, bool heap) {
      const std::int32_t next = at(i).after;
      if (next < 0) return;
      const MergeTable::Value value = merges_.Find(at(i).id, at(next).id);
      if (value.rank == MergeTable::kNoRank) return;
      queue.push_back(std::uint64_t{value.rank} << 32 | static_cast<std::uint32_t>(i));
      if (heap) std::push_heap(queue.begin(), queue.end(), std::greater<>());
    };
    for (std::int32_t i = 0; i + 1 < count; ++i) push(i, false);
    std::make_heap(queue.begin(), queue.end(), std::greater<>());
    while (!queue.empty()) {
      const std::uint64_t top = queue.front();
      std::pop_heap(queue.begin(), queue.end(), std::greater<>());
      queue.pop_back();
      const auto i = static_cast<std::int32_t>(top & 0xFFFFFFFF);
      ModelScratch::Symbol& symbol = at(i);
      if (symbol.size == 0 || symbol.after < 0) continue;
      ModelScratch::Symbol& right = at(symbol.after);
      const MergeTable::Value value = merges_.Find(symbol.id, right.id);
      if (value.rank != top >> 32) continue;
      symbol.id = value.merged;
      symbol.size += right.size;
      symbol.after = right.after;
      right.size = 0;
      if (right.after >= 0) at(right.after).before = i;
      if (symbol.before >= 0) push(symbol.before, true);
      push(i, true);
    }
  }

  static constexpr std::int32_t kUnknownRun = -2;

  const Vocabulary vocabulary_;
  const MergeTable merges_;
  const BpeOptions options_;
  std::int32_t unk_ = -1;
  std::array<std::int32_t, 256> bytes_, fallback_;
  std::string whole_bytes_;  // for ignore_merges with raw bytes: what the tokens spell
  TokenTable whole_words_;
  bool cuts_at_mark_ = false;
};

}  // namespace

base::StatusOr<std::unique_ptr<Model>> MakeBpe(Vocabulary vocabulary,
                                               const std::vector<Merge>& merges,
                                               const BpeOptions& options, std::string_view where) {
  if (options.unk_token && vocabulary.Find(*options.unk_token) < 0) {
    return base::BadInput(where, ": the vocabulary lacks the unknown token \"", *options.unk_token,
                          "\"");
  }
  return std::make_unique<Bpe>(std::move(vocabulary), merges, options);
}

}  // namespace hone::text
