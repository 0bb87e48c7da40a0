#include "text/tokenizer.h"

#include <algorithm>
#include <atomic>

#include "base/utf8.h"
#include "text/pipeline.h"
#include "text/trim_offsets.h"
#include "text/word_cache.h"

namespace hone::text {

// A token of one text before special tokens are added.
struct TextToken {
  std::int32_t id;
  Span origin;
  std::int32_t word;
};

struct EncodingScratch {
  AlignedText valid;  // the text with its invalid bytes replaced
  NormalizerScratch normalizer;
  PreTokenizerScratch pre_tokenizer;
  Pieces pieces;
  ModelScratch model;
  std::vector<PieceToken> tokens;
  std::vector<TextToken> texts[2];
  WordCache cache;
  std::uint64_t cache_owner = 0;  // number of the tokenizer whose words the cache holds
};

Encoding::Encoding() = default;
Encoding::~Encoding() = default;
Encoding::Encoding(Encoding&&) noexcept = default;
Encoding& Encoding::operator=(Encoding&&) noexcept = default;

namespace {

class PipelineTokenizer final : public Tokenizer {
 public:
  explicit PipelineTokenizer(Parts parts)
      : parts_(std::move(parts)),
        vocabulary_(parts_.model->vocabulary()),
        added_(AddedTokens::Make(std::move(parts_.added_tokens), vocabulary_,
                                 parts_.normalizer.get())) {
    mask_id_ = FirstOf({"[MASK]", "<mask>"});
    pad_id_ = parts_.pad_id ? parts_.pad_id : FirstOf({"[PAD]", "<pad>", "<|endoftext|>"});
    if (parts_.post_processor.trim_offsets) {
      trimmer_ = std::make_unique<OffsetTrimmer>(vocabulary_, added_,
                                                 parts_.post_processor.add_prefix_space);
    }
  }

  void Encode(std::string_view text, const EncodeOptions& options,
              Encoding* encoding) const override {
    EncodingScratch& scratch = Prepare(encoding);
    EncodeText(text, &scratch, &scratch.texts[0], encoding);
    Assemble(false, options, &scratch, encoding);
  }

  void EncodePair(std::string_view first, std::string_view second, const EncodeOptions& options,
                  Encoding* encoding) const override {
    EncodingScratch& scratch = Prepare(encoding);
    EncodeText(first, &scratch, &scratch.texts[0], encoding);
    EncodeText(second, &scratch, &scratch.texts[1], encoding);
    Assemble(true, options, &scratch, encoding);
  }

  const std::string& source() const override { return parts_.source; }
  int vocabulary_size() const override {
    return static_cast<int>(vocabulary_.size() + added_.not_in_vocabulary());
  }
  std::int32_t id_limit() const override {
    return std::max({vocabulary_.id_limit(), added_.id_limit(), parts_.post_processor.id_limit()});
  }

  std::optional<std::int32_t> Id(std::string_view token) const override {
    std::int32_t id = added_.Find(token);
    if (id < 0) id = vocabulary_.Find(token);
    return id < 0 ? std::nullopt : std::optional(id);
  }

  std::string_view Token(std::int32_t id) const override {
    const AddedToken* added = added_.Get(id);
    return added != nullptr ? std::string_view(added->content) : vocabulary_.Token(id);
  }

  bool IsSpecial(std::int32_t id) const override {
    const AddedToken* added = added_.Get(id);
    return added != nullptr && added->special;
  }

  std::string Decode(std::span<const std::int32_t> ids, bool skip_special) const override {
    std::vector<std::string> tokens;
    for (const std::int32_t id : ids) {
      const AddedToken* added = added_.Get(id);
      if (added != nullptr) {
        if (!skip_special || !added->special) tokens.push_back(added_.DecodeText(*added));
      } else if (vocabulary_.Has(id)) {
        tokens.emplace_back(vocabulary_.Token(id));
      }
    }
    if (tokens.empty()) return "";
    if (parts_.decoder == nullptr) return base::Join(tokens, " ");
    parts_.decoder->Decode(&tokens);
    return base::Join(tokens, "");
  }

  std::optional<std::int32_t> mask_id() const override { return mask_id_; }
  std::optional<std::int32_t> pad_id() const override { return pad_id_; }
  int file_max_tokens() const override { return parts_.truncation.max_tokens; }
  int added_special_tokens(bool pair) const override { return parts_.post_processor.Added(pair); }

 private:
  // Added tokens come first: MPNet's <mask> is one, while BERT's [MASK] is an ordinary word there.
  std::optional<std::int32_t> FirstOf(std::initializer_list<std::string_view> names) const {
    for (const std::string_view name : names) {
      if (const std::int32_t id = added_.Find(name); id >= 0) return id;
    }
    for (const std::string_view name : names) {
      if (const auto id = Id(name)) return id;
    }
    return std::nullopt;
  }

  EncodingScratch& Prepare(Encoding* encoding) const {
    if (encoding->scratch == nullptr) encoding->scratch = std::make_unique<EncodingScratch>();
    EncodingScratch& scratch = *encoding->scratch;
    if (scratch.cache_owner != number_) {
      if (scratch.cache_owner != 0) scratch.cache = WordCache();
      scratch.cache_owner = number_;
    }
    scratch.texts[0].clear();
    scratch.texts[1].clear();
    encoding->truncated = false;
    return scratch;
  }

  // ---- One text to tokens ----

  void EncodeText(std::string_view text, EncodingScratch* scratch, std::vector<TextToken>* out,
                  Encoding* encoding) const {
    if (text.size() > kMaxTextBytes) {
      text = text.substr(0, kMaxTextBytes);
      encoding->truncated = true;
    }
    const TextView view = MakeValid(text, &scratch->valid);
    std::int32_t word = 0;
    ForEachPart(view, false, [&](const TextView& part, std::int32_t id) {
      if (id >= 0) {
        out->push_back({id, part.Origin(0, part.text.size()), word++});
        return;
      }
      const TextView normalized = parts_.normalizer == nullptr
                                      ? part
                                      : parts_.normalizer->Normalize(part, &scratch->normalizer);
      ForEachPart(normalized, true, [&](const TextView& rest, std::int32_t rest_id) {
        if (rest_id >= 0) {
          out->push_back({rest_id, rest.Origin(0, rest.text.size()), word++});
        } else {
          EncodePieces(rest, scratch, &word, out);
        }
      });
    });
    if (trimmer_ == nullptr) return;
    for (std::size_t i = 0; i < out->size(); ++i) {
      trimmer_->Trim(text, (*out)[i].id, i == 0, &(*out)[i].origin);
    }
  }

  static TextView MakeValid(std::string_view text, AlignedText* buffer) {
    if (base::IsValidUtf8(text)) return {text};
    buffer->Clear();
    for (std::size_t i = 0; i < text.size();) {
      const base::DecodedRune decoded = base::DecodeRune(text, i);
      const auto begin = static_cast<std::uint32_t>(i);
      i += decoded.size;
      buffer->AppendRune(decoded.rune, {begin, static_cast<std::uint32_t>(i)});
    }
    return buffer->view();
  }

  // Calls part(view, id) for every added token in the text and, with id -1, for what lies between.
  template <typename Part>
  void ForEachPart(const TextView& view, bool normalized, Part&& part) const {
    std::size_t cut = 0, from = 0;
    AddedTokens::Match match;
    if (!added_.empty(normalized)) {
      while (added_.Find(view.text, from, cut, normalized, &match)) {
        if (cut < match.begin) part(view.Slice(cut, match.begin), -1);
        part(view.Slice(match.begin, match.end), match.id);
        cut = from = match.end;
      }
    }
    if (cut < view.text.size()) part(cut == 0 ? view : view.Slice(cut, view.text.size()), -1);
  }

  void EncodePieces(const TextView& view, EncodingScratch* scratch, std::int32_t* word,
                    std::vector<TextToken>* out) const {
    Pieces& pieces = scratch->pieces;
    pieces.view = view;
    pieces.list.clear();
    pieces.list.push_back({0, static_cast<std::uint32_t>(view.text.size())});
    if (parts_.pre_tokenizer != nullptr) {
      parts_.pre_tokenizer->Split(&pieces, &scratch->pre_tokenizer);
    }
    const std::string_view mark = parts_.model->word_mark();
    for (const Piece& piece : pieces.list) {
      if (mark.empty()) {
        EncodeWord(pieces.view, piece.begin, piece.end, *word, scratch, out);
      } else {
        EncodeMarkedWords(pieces.view, piece, mark, *word, scratch, out);
      }
      ++*word;
    }
  }

  // Cuts in front of every run of marks; see Model::word_mark.
  void EncodeMarkedWords(const TextView& view, const Piece& piece, std::string_view mark,
                         std::int32_t word, EncodingScratch* scratch,
                         std::vector<TextToken>* out) const {
    const std::string_view text = view.text.substr(0, piece.end);
    std::size_t begin = piece.begin;
    while (begin < piece.end) {
      std::size_t body = begin;
      while (text.substr(body).starts_with(mark)) body += mark.size();
      const std::size_t end = std::min<std::size_t>(text.find(mark, body), piece.end);
      EncodeWord(view, begin, end, word, scratch, out);
      begin = end;
    }
  }

  void EncodeWord(const TextView& view, std::size_t begin, std::size_t end, std::int32_t word,
                  EncodingScratch* scratch, std::vector<TextToken>* out) const {
    const std::string_view text = view.text.substr(begin, end - begin);
    const auto emit = [&](std::int32_t id, std::size_t from, std::size_t to) {
      // A piece of which characters were dropped may end before its last token does; see Bpe.
      to = std::min(to, text.size());
      from = std::min(from, to);
      const Span origin = from < to ? view.Origin(begin + from, begin + to) : Span{};
      out->push_back({id, origin, word});
    };
    const bool short_word = text.size() <= WordCache::kMaxWordBytes;
    WordCache::Key key;
    if (short_word) {
      key = WordCache::MakeKey(text);
      if (const WordCache::Entry* entry = scratch->cache.Find(key, text.size())) {
        std::size_t from = 0;
        for (std::size_t i = 0; i < entry->count; ++i) {
          emit(entry->ids[i], from, entry->ends[i]);
          from = entry->ends[i];
        }
        return;
      }
    }
    scratch->tokens.clear();
    parts_.model->Tokenize(text, &scratch->model, &scratch->tokens);
    for (const PieceToken& token : scratch->tokens) emit(token.id, token.begin, token.end);
    if (short_word) {
      scratch->cache.Insert(key, text.size(), scratch->tokens.data(), scratch->tokens.size());
    }
  }

  // ---- Tokens of one or two texts to an encoding ----

  void Assemble(bool pair, const EncodeOptions& options, EncodingScratch* scratch,
                Encoding* encoding) const {
    std::size_t begin[2] = {0, 0};
    std::size_t count[2] = {scratch->texts[0].size(), scratch->texts[1].size()};
    Truncate(pair, options, begin, count, encoding);
    const std::vector<TemplatePiece>& pieces =
        pair ? parts_.post_processor.pair : parts_.post_processor.single;
    std::size_t total = 0;
    for (const TemplatePiece& piece : pieces) {
      total += piece.kind == TemplatePiece::kSpecial
                   ? (options.add_special_tokens ? piece.ids.size() : 0)
                   : count[piece.kind];
    }
    encoding->ids.resize(total);
    encoding->types.resize(total);
    encoding->offsets.resize(total);
    encoding->word.resize(total);
    encoding->sequence.resize(total);
    std::size_t at = 0;
    const auto put = [&](const TextToken& token, std::int32_t type, int sequence) {
      encoding->ids[at] = token.id;
      encoding->types[at] = type;
      encoding->offsets[at] = token.origin;
      encoding->word[at] = token.word;
      encoding->sequence[at] = static_cast<std::int8_t>(sequence);
      ++at;
    };
    for (const TemplatePiece& piece : pieces) {
      if (piece.kind == TemplatePiece::kSpecial) {
        if (!options.add_special_tokens) continue;
        for (const std::int32_t id : piece.ids) put({id, {}, -1}, piece.type, -1);
        continue;
      }
      const std::vector<TextToken>& text = scratch->texts[piece.kind];
      for (std::size_t i = 0; i < count[piece.kind]; ++i) {
        put(text[begin[piece.kind] + i], piece.type, piece.kind);
      }
    }
  }

  void Truncate(bool pair, const EncodeOptions& options, std::size_t begin[2], std::size_t count[2],
                Encoding* encoding) const {
    int limit = options.max_tokens;
    Truncation strategy = options.truncation;
    bool left = options.truncate_left;
    if (limit == EncodeOptions::kFileLimit) {
      limit = parts_.truncation.max_tokens;
      strategy = parts_.truncation.strategy;
      left = parts_.truncation.left;
    }
    if (limit <= 0) return;
    if (options.add_special_tokens) limit -= parts_.post_processor.Added(pair);
    const auto room = static_cast<std::size_t>(std::max(limit, 0));
    const std::size_t before[2] = {count[0], count[1]};
    if (count[0] + count[1] <= room) return;
    encoding->truncated = true;
    const std::size_t excess = count[0] + count[1] - room;
    if (!pair || strategy == Truncation::kOnlyFirst) {
      count[0] -= std::min(excess, count[0]);
    } else if (strategy == Truncation::kOnlySecond) {
      count[1] -= std::min(excess, count[1]);
    } else {
      LongestFirst(room, count);
    }
    for (int i = 0; i < 2 && left; ++i) begin[i] = before[i] - count[i];
  }

  // The longer text gives way until both are equally long; then both do.
  static void LongestFirst(std::size_t room, std::size_t count[2]) {
    const int shorter = count[0] > count[1] ? 1 : 0;
    std::size_t low = count[shorter];
    std::size_t high = low > room ? low : std::max(low, room - low);
    if (low + high > room) {
      low = room / 2;
      high = low + room % 2;
    }
    count[shorter] = std::min(count[shorter], low);
    count[1 - shorter] = std::min(count[1 - shorter], high);
  }

  static std::uint64_t NextNumber() {
    static std::atomic<std::uint64_t> last{0};
    return ++last;
  }

  const std::uint64_t number_ = NextNumber();  // an address may come back, a number does not
  Parts parts_;
  const Vocabulary& vocabulary_;
  const AddedTokens added_;
  std::optional<std::int32_t> mask_id_, pad_id_;
  std::unique_ptr<OffsetTrimmer> trimmer_;  // only with trim_offsets
};

}  // namespace

base::Status CheckIds(const Tokenizer& tokenizer, int rows) {
  const std::int32_t last = tokenizer.id_limit() - 1;
  if (last < rows) return base::OkStatus();
  const std::string_view token = tokenizer.Token(last);  // empty: a template alone names the id
  return base::BadInput(tokenizer.source(), ": has token id ", last,
                        token.empty() ? "" : base::StrCat(" (\"", token, "\")"),
                        ", but the model's embedding ", rows, " rows");
}

std::unique_ptr<Tokenizer> MakeTokenizer(Parts parts) {
  return std::make_unique<PipelineTokenizer>(std::move(parts));
}

}  // namespace hone::text
