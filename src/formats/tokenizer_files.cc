#include "formats/tokenizer_files.h"

#include "base/json.h"
#include "base/strings.h"
#include "formats/directory.h"

namespace hone::formats {
namespace {

// XLM-R's tokenizer.json has 17 MB; nothing published comes near this.
constexpr std::uint64_t kMaxTokenizerBytes = std::uint64_t{256} << 20;

base::StatusOr<bool> LowerCases(env::FileSystem& files, const std::string& directory) {
  const std::string path = env::JoinPath(directory, "tokenizer_config.json");
  if (!files.IsFile(path)) return true;
  HONE_ASSIGN_OR_RETURN(const std::string bytes, files.Read(path, kMaxTokenizerBytes));
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(bytes, path));
  return json.root().BoolOr("do_lower_case", true);
}

// Fairseq has two numberings, which the file itself does not tell apart.
base::StatusOr<text::SentencePieceIds> FairseqIds(env::FileSystem& files,
                                                  const std::string& directory) {
  const std::string path = env::JoinPath(directory, "config.json");
  if (!files.IsFile(path)) return text::SentencePieceIds::kXlmRoberta;
  HONE_ASSIGN_OR_RETURN(const std::string bytes, files.Read(path, kMaxConfigBytes));
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(bytes, path));
  HONE_ASSIGN_OR_RETURN(const std::string_view type, json.root().StringOr("model_type", ""));
  return type == "camembert" ? text::SentencePieceIds::kCamembert
                             : text::SentencePieceIds::kXlmRoberta;
}

// Null where the directory has no tokenizer.
base::StatusOr<std::unique_ptr<text::Tokenizer>> OpenIn(env::FileSystem& files,
                                                        const std::string& directory) {
  const auto path_of = [&](std::string_view name) { return env::JoinPath(directory, name); };
  const auto read = [&](std::string_view name) {
    return files.Read(path_of(name), kMaxTokenizerBytes);
  };
  if (files.IsFile(path_of("tokenizer.json"))) {
    HONE_ASSIGN_OR_RETURN(const std::string bytes, read("tokenizer.json"));
    return text::Tokenizer::FromJson(bytes, path_of("tokenizer.json"));
  }
  if (files.IsFile(path_of("vocab.txt"))) {
    HONE_ASSIGN_OR_RETURN(const std::string bytes, read("vocab.txt"));
    HONE_ASSIGN_OR_RETURN(const bool lower_case, LowerCases(files, directory));
    return text::Tokenizer::FromWordPieceVocab(bytes, path_of("vocab.txt"), lower_case);
  }
  if (files.IsFile(path_of("vocab.json")) && files.IsFile(path_of("merges.txt"))) {
    HONE_ASSIGN_OR_RETURN(const std::string vocab, read("vocab.json"));
    HONE_ASSIGN_OR_RETURN(const std::string merges, read("merges.txt"));
    return text::Tokenizer::FromByteLevelBpe(vocab, merges, path_of("vocab.json"));
  }
  for (const std::string_view name : {"tokenizer.model", "spiece.model"}) {
    if (!files.IsFile(path_of(name))) continue;
    HONE_ASSIGN_OR_RETURN(const std::string bytes, read(name));
    return text::Tokenizer::FromSentencePiece(bytes, path_of(name));
  }
  constexpr std::string_view kFairseqFile = "sentencepiece.bpe.model";
  if (files.IsFile(path_of(kFairseqFile))) {
    HONE_ASSIGN_OR_RETURN(const std::string bytes, read(kFairseqFile));
    HONE_ASSIGN_OR_RETURN(const text::SentencePieceIds ids, FairseqIds(files, directory));
    return text::Tokenizer::FromSentencePiece(bytes, path_of(kFairseqFile), ids);
  }
  return std::unique_ptr<text::Tokenizer>();
}

}  // namespace

base::StatusOr<std::unique_ptr<text::Tokenizer>> OpenTokenizer(env::FileSystem& files,
                                                               const std::string& directory) {
  HONE_ASSIGN_OR_RETURN(std::unique_ptr<text::Tokenizer> tokenizer, OpenIn(files, directory));
  if (tokenizer == nullptr && files.IsDirectory(directory)) {
    HONE_ASSIGN_OR_RETURN(const std::string encoder, EncoderDirectory(files, directory));
    if (encoder != directory) {
      HONE_ASSIGN_OR_RETURN(tokenizer, OpenIn(files, encoder));
    }
  }
  if (tokenizer != nullptr) return tokenizer;
  return base::NotFound(directory,
                        ": has no tokenizer; looked for tokenizer.json, vocab.txt, vocab.json with "
                        "merges.txt, tokenizer.model, sentencepiece.bpe.model, spiece.model");
}

}  // namespace hone::formats
