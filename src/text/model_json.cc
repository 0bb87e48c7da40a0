#include <algorithm>
#include <string>

#include "text/json_fields.h"
#include "text/model.h"

namespace hone::text {
namespace {

class WordLevel final : public Model {
 public:
  WordLevel(Vocabulary vocabulary, std::int32_t unk)
      : vocabulary_(std::move(vocabulary)), unk_(unk) {}
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  void Tokenize(std::string_view piece, ModelScratch*,
                std::vector<PieceToken>* tokens) const override {
    const std::int32_t id = vocabulary_.Find(piece);
    tokens->push_back({id >= 0 ? id : unk_, 0, static_cast<std::uint32_t>(piece.size())});
  }

 private:
  const Vocabulary vocabulary_;
  const std::int32_t unk_;
};

base::StatusOr<Vocabulary> VocabularyFromJson(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const base::JsonValue map, json.Get("vocab"));
  return VocabularyFromMap(map);
}

// "left right", or ["left", "right"].
base::Status SplitMerge(const base::JsonValue& item, std::string_view* left,
                        std::string_view* right) {
  if (item.IsArray()) {
    HONE_ASSIGN_OR_RETURN(const base::JsonValue first, item.At(0));
    HONE_ASSIGN_OR_RETURN(const base::JsonValue second, item.At(1));
    HONE_ASSIGN_OR_RETURN(*left, first.String());
    HONE_ASSIGN_OR_RETURN(*right, second.String());
    return base::OkStatus();
  }
  HONE_ASSIGN_OR_RETURN(const std::string_view text, item.String());
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
    return item.Error("expected two tokens and one space between them");
  }
  *left = text.substr(0, space);
  *right = text.substr(space + 1);
  return base::OkStatus();
}

base::StatusOr<std::vector<Merge>> MergesFromJson(const base::JsonValue& json,
                                                  const Vocabulary& vocabulary,
                                                  std::size_t prefix_size) {
  HONE_ASSIGN_OR_RETURN(const base::JsonValue list, json.Get("merges"));
  if (!list.IsArray()) return list.Error("expected an array of merges");
  std::vector<Merge> merges;
  merges.reserve(static_cast<std::size_t>(list.size()));
  std::string joined;
  for (const base::JsonValue item : list) {
    if (merges.empty() && item.IsString() && item.String()->starts_with("#version")) continue;
    std::string_view left, right;
    HONE_RETURN_IF_ERROR(SplitMerge(item, &left, &right));
    joined.assign(left);
    joined += right.substr(std::min(prefix_size, right.size()));
    const Merge merge = {vocabulary.Find(left), vocabulary.Find(right), vocabulary.Find(joined)};
    if (merge.left < 0 || merge.right < 0 || merge.merged < 0) {
      return item.Error(base::StrCat("the vocabulary lacks \"",
                                     merge.left < 0    ? left
                                     : merge.right < 0 ? right
                                                       : std::string_view(joined),
                                     "\""));
    }
    merges.push_back(merge);
  }
  return merges;
}

base::StatusOr<std::unique_ptr<Model>> WordPieceFromJson(const base::JsonValue& json) {
  WordPieceOptions options;
  HONE_ASSIGN_OR_RETURN(options.unk_token, json.StringOr("unk_token", "[UNK]"));
  HONE_ASSIGN_OR_RETURN(options.prefix, json.StringOr("continuing_subword_prefix", "##"));
  HONE_ASSIGN_OR_RETURN(const std::int64_t most, json.IntOr("max_input_chars_per_word", 100));
  options.max_characters = static_cast<int>(std::min<std::int64_t>(most, 1 << 30));
  HONE_ASSIGN_OR_RETURN(Vocabulary vocabulary, VocabularyFromJson(json));
  return MakeWordPiece(std::move(vocabulary), options, json.Where());
}

base::StatusOr<std::unique_ptr<Model>> BpeFromJson(const base::JsonValue& json, bool raw_bytes) {
  HONE_ASSIGN_OR_RETURN(const double dropout, json.DoubleOr("dropout", 0));
  if (dropout != 0) {
    return base::Unsupported(json.Where(), ".dropout: BPE dropout is not supported");
  }
  BpeOptions options;
  options.raw_bytes = raw_bytes;
  if (const auto unk = json.Find("unk_token")) {
    HONE_ASSIGN_OR_RETURN(const std::string_view token, unk->String());
    options.unk_token = std::string(token);
  }
  HONE_ASSIGN_OR_RETURN(options.prefix, json.StringOr("continuing_subword_prefix", ""));
  HONE_ASSIGN_OR_RETURN(options.suffix, json.StringOr("end_of_word_suffix", ""));
  HONE_ASSIGN_OR_RETURN(options.fuse_unk, json.BoolOr("fuse_unk", false));
  HONE_ASSIGN_OR_RETURN(options.byte_fallback, json.BoolOr("byte_fallback", false));
  HONE_ASSIGN_OR_RETURN(options.ignore_merges, json.BoolOr("ignore_merges", false));
  if (raw_bytes && (!options.prefix.empty() || !options.suffix.empty() || options.byte_fallback)) {
    return base::Unsupported(json.Where(),
                             ": byte-level BPE with a subword prefix, a word suffix or "
                             "byte_fallback is not supported");
  }
  HONE_ASSIGN_OR_RETURN(Vocabulary vocabulary, VocabularyFromJson(json));
  HONE_ASSIGN_OR_RETURN(const std::vector<Merge> merges,
                        MergesFromJson(json, vocabulary, options.prefix.size()));
  return MakeBpe(std::move(vocabulary), merges, options, json.Where());
}

base::StatusOr<std::unique_ptr<Model>> UnigramFromJson(const base::JsonValue& json) {
  UnigramOptions options;
  if (const auto unk = json.Find("unk_id")) {
    HONE_ASSIGN_OR_RETURN(options.unk_id, unk->IntIn(0, Vocabulary::kMaxId - 1));
  }
  HONE_ASSIGN_OR_RETURN(options.byte_fallback, json.BoolOr("byte_fallback", false));
  HONE_ASSIGN_OR_RETURN(const base::JsonValue list, json.Get("vocab"));
  if (!list.IsArray()) return list.Error("expected an array of [token, score]");
  if (list.size() >= Vocabulary::kMaxId) return list.Error("too many tokens");
  std::size_t bytes = 0;
  std::vector<std::string_view> tokens;
  std::vector<double> scores;
  for (const base::JsonValue item : list) {
    HONE_ASSIGN_OR_RETURN(const base::JsonValue first, item.At(0));
    HONE_ASSIGN_OR_RETURN(const base::JsonValue second, item.At(1));
    HONE_ASSIGN_OR_RETURN(const std::string_view token, first.String());
    HONE_ASSIGN_OR_RETURN(const double score, second.Double());
    bytes += token.size();
    tokens.push_back(token);
    scores.push_back(score);
  }
  Vocabulary vocabulary(bytes, tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    vocabulary.Add(tokens[i], static_cast<std::int32_t>(i));
  }
  if (const auto repeat = vocabulary.RepeatText()) return list.Error(*repeat);
  return MakeUnigram(std::move(vocabulary), std::move(scores), options, json.Where());
}

base::StatusOr<std::unique_ptr<Model>> WordLevelFromJson(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const std::string_view unk_token, json.StringOr("unk_token", "<unk>"));
  HONE_ASSIGN_OR_RETURN(Vocabulary vocabulary, VocabularyFromJson(json));
  const std::int32_t unk = vocabulary.Find(unk_token);
  if (unk < 0) {
    return json.Error(base::StrCat("the vocabulary lacks the unknown token \"", unk_token, "\""));
  }
  return std::make_unique<WordLevel>(std::move(vocabulary), unk);
}

// Files before 2021 may lack the type.
base::StatusOr<std::string_view> ModelType(const base::JsonValue& json) {
  if (!json.IsObject()) return json.Error("expected an object");
  if (json.Find("type")) return ComponentType(json);
  if (json.Find("merges")) return "BPE";
  if (json.Find("continuing_subword_prefix")) return "WordPiece";
  const auto vocab = json.Find("vocab");
  return vocab && vocab->IsArray() ? "Unigram" : "WordLevel";
}

}  // namespace

base::StatusOr<std::unique_ptr<Model>> ModelFromJson(const base::JsonValue& json, bool raw_bytes) {
  HONE_ASSIGN_OR_RETURN(const std::string_view type, ModelType(json));
  if (type == "BPE") return BpeFromJson(json, raw_bytes);
  if (type == "WordPiece") return WordPieceFromJson(json);
  if (type == "Unigram") return UnigramFromJson(json);
  if (type == "WordLevel") return WordLevelFromJson(json);
  return UnsupportedComponent(json, "model", type);
}

}  // namespace hone::text
