// The file sets from before tokenizer.json.
#include <algorithm>

#include "text/json_fields.h"
#include "text/pipeline.h"

namespace hone::text {
namespace {

// Calls line(text, number) for each line, without its line end.
template <typename Line>
void ForEachLine(std::string_view text, Line&& line) {
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    line(text.substr(0, end), number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string_view TrimEnd(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r\n\v\f");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

AddedToken Special(std::string_view content) {
  AddedToken token;
  token.content = content;
  token.special = true;
  return token;
}

base::StatusOr<std::vector<Merge>> MergesFromText(std::string_view text,
                                                  const Vocabulary& vocabulary,
                                                  std::string_view source) {
  std::vector<Merge> merges;
  base::Status error;
  std::string joined;
  ForEachLine(text, [&](std::string_view line, int number) {
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!error.ok() || line.empty() || line.starts_with("#version")) return;
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
      error =
          base::BadInput(source, ":", number, ": expected two tokens and one space between them");
      return;
    }
    joined.assign(line.substr(0, space));
    joined += line.substr(space + 1);
    const Merge merge = {vocabulary.Find(line.substr(0, space)),
                         vocabulary.Find(line.substr(space + 1)), vocabulary.Find(joined)};
    if (merge.left < 0 || merge.right < 0 || merge.merged < 0) {
      error = base::BadInput(source, ":", number, ": the vocabulary lacks a token of the merge \"",
                             line, "\"");
      return;
    }
    merges.push_back(merge);
  });
  if (!error.ok()) return error;
  return merges;
}

// BERT's special tokens, or MPNet's: fairseq's four, BERT's vocabulary behind them and <mask>. Then
// two separators stand between the texts of a pair, as in transformers' MPNet.
base::Status AddWordPieceSpecials(const Vocabulary& vocabulary, std::string_view source,
                                  Parts* parts) {
  const auto add = [&](std::initializer_list<const char*> names) {
    for (const char* name : names) {
      if (vocabulary.Find(name) >= 0) parts->added_tokens.push_back(Special(name));
    }
  };
  const std::int32_t cls = vocabulary.Find("[CLS]"), sep = vocabulary.Find("[SEP]");
  const std::int32_t begin = vocabulary.Find("<s>"), end = vocabulary.Find("</s>");
  // MPNet's vocabulary has BERT's tokens too, as ordinary ones.
  if (begin >= 0 && end >= 0 && (begin == 0 || cls < 0)) {
    add({"<pad>", "[UNK]", "<s>", "</s>", "<mask>"});
    if (parts->added_tokens.back().content == "<mask>") parts->added_tokens.back().lstrip = true;
    parts->post_processor = BertTemplate(begin, end);
    auto& pair = parts->post_processor.pair;
    pair.insert(pair.begin() + 3, {TemplatePiece::kSpecial, {end}, 0});
    return base::OkStatus();
  }
  if (cls < 0 || sep < 0) {
    return base::BadInput(source,
                          ": the vocabulary lacks [CLS] or [SEP] (and MPNet's <s> and </s>)");
  }
  add({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"});
  parts->post_processor = BertTemplate(cls, sep);
  return base::OkStatus();
}

}  // namespace

base::StatusOr<std::unique_ptr<Tokenizer>> Tokenizer::FromWordPieceVocab(std::string_view vocab_txt,
                                                                         std::string_view source,
                                                                         bool lower_case) {
  std::size_t count = 0;
  ForEachLine(vocab_txt, [&](std::string_view, int) { ++count; });
  if (count >= Vocabulary::kMaxId) return base::BadInput(source, ": too many tokens");
  Vocabulary vocabulary(vocab_txt.size(), count);
  ForEachLine(vocab_txt, [&](std::string_view line, int number) {
    vocabulary.Add(TrimEnd(line), number - 1);
  });
  if (const auto& repeat = vocabulary.repeat()) {
    return base::BadInput(source, ":", repeat->other_id + 1, ": the token \"", repeat->token,
                          "\" is in line ", repeat->id + 1, " already");
  }
  Parts parts;
  parts.source = source;
  HONE_RETURN_IF_ERROR(AddWordPieceSpecials(vocabulary, source, &parts));
  parts.normalizer = MakeBertNormalizer(true, true, lower_case, lower_case);
  parts.pre_tokenizer = MakeBertPreTokenizer();
  HONE_ASSIGN_OR_RETURN(parts.model, MakeWordPiece(std::move(vocabulary), {}, source));
  parts.decoder = MakeWordPieceDecoder("##", true);
  return MakeTokenizer(std::move(parts));
}

base::StatusOr<std::unique_ptr<Tokenizer>> Tokenizer::FromByteLevelBpe(std::string_view vocab_json,
                                                                       std::string_view merges_txt,
                                                                       std::string_view source) {
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(vocab_json, source));
  HONE_ASSIGN_OR_RETURN(Vocabulary vocabulary, VocabularyFromMap(json.root()));
  HONE_ASSIGN_OR_RETURN(const std::vector<Merge> merges,
                        MergesFromText(merges_txt, vocabulary, source));
  Parts parts;
  parts.source = source;
  parts.raw_bytes = true;
  const std::int32_t cls = vocabulary.Find("<s>"), sep = vocabulary.Find("</s>");
  // RoBERTa's vocabulary has these; then its files mean <s> text </s>, and trimmed offsets, as
  // transformers' converters make of such files. GPT-2's have neither.
  if (cls >= 0 && sep >= 0) {
    parts.post_processor = RobertaTemplate(cls, sep);
    parts.post_processor.trim_offsets = true;
  }
  for (const char* name : {"<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>"}) {
    if (vocabulary.Find(name) < 0) continue;
    parts.added_tokens.push_back(Special(name));
    parts.added_tokens.back().lstrip = std::string_view(name) == "<mask>";
  }
  parts.pre_tokenizer = MakeByteLevel(/*add_prefix_space=*/false, /*use_regex=*/true,
                                      /*raw_bytes=*/true);
  parts.decoder = MakeByteLevelDecoder();
  BpeOptions options;
  options.raw_bytes = true;
  HONE_ASSIGN_OR_RETURN(parts.model, MakeBpe(std::move(vocabulary), merges, options, source));
  return MakeTokenizer(std::move(parts));
}

}  // namespace hone::text
