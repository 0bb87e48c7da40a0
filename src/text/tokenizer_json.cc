#include "text/json_fields.h"
#include "text/pipeline.h"

namespace hone::text {
namespace {

base::StatusOr<FileTruncation> TruncationFromJson(const base::JsonValue& json) {
  FileTruncation result;
  HONE_ASSIGN_OR_RETURN(const std::int64_t max_length, json.IntOr("max_length", 512));
  if (max_length < 0 || max_length > (1 << 30)) {
    return json.Error(base::StrCat("max_length ", max_length, " is out of range"));
  }
  result.max_tokens = static_cast<int>(max_length);
  HONE_ASSIGN_OR_RETURN(const std::string_view strategy, json.StringOr("strategy", "LongestFirst"));
  if (strategy == "OnlyFirst") {
    result.strategy = Truncation::kOnlyFirst;
  } else if (strategy == "OnlySecond") {
    result.strategy = Truncation::kOnlySecond;
  } else if (strategy != "LongestFirst") {
    return json.Error(base::StrCat("unknown strategy \"", strategy, "\""));
  }
  HONE_ASSIGN_OR_RETURN(const std::string_view direction, json.StringOr("direction", "Right"));
  result.left = direction == "Left";
  return result;
}

// The model says whether bytes may stay bytes; only BPE without prefix and suffix can.
bool TakesRawBytes(const base::JsonValue& model) {
  if (!model.Find("merges")) return false;
  for (const char* field : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const auto value = model.Find(field);
    if (value && value->IsString() && !value->String()->empty()) return false;
  }
  const auto fallback = model.Find("byte_fallback");
  return !fallback || !fallback->Bool().value_or(false);
}

}  // namespace

base::StatusOr<std::unique_ptr<Tokenizer>> Tokenizer::FromJson(std::string_view bytes,
                                                               std::string_view source) {
  HONE_ASSIGN_OR_RETURN(const base::Json document, base::Json::Parse(bytes, source));
  const base::JsonValue root = document.root();
  HONE_ASSIGN_OR_RETURN(const std::string_view version, root.StringOr("version", "1.0"));
  if (version != "1.0") {
    return base::Unsupported(root.Where(), ".version: version \"", version, "\" is not supported");
  }
  HONE_ASSIGN_OR_RETURN(const base::JsonValue model, root.Get("model"));
  Parts parts;
  parts.source = source;
  if (const auto json = root.Find("normalizer")) {
    HONE_ASSIGN_OR_RETURN(parts.normalizer, NormalizerFromJson(*json));
  }
  if (const auto json = root.Find("pre_tokenizer")) {
    ByteLevelFacts byte_level = {TakesRawBytes(model)};
    HONE_ASSIGN_OR_RETURN(parts.pre_tokenizer, PreTokenizerFromJson(*json, &byte_level));
    parts.raw_bytes = byte_level.raw_bytes;
  }
  HONE_ASSIGN_OR_RETURN(parts.model, ModelFromJson(model, parts.raw_bytes));
  if (const auto json = root.Find("post_processor")) {
    HONE_ASSIGN_OR_RETURN(parts.post_processor, PostProcessorFromJson(*json));
  }
  if (const auto json = root.Find("decoder")) {
    HONE_ASSIGN_OR_RETURN(parts.decoder, DecoderFromJson(*json));
  }
  if (const auto json = root.Find("added_tokens")) {
    HONE_ASSIGN_OR_RETURN(parts.added_tokens, AddedTokensFromJson(*json));
  }
  if (const auto json = root.Find("truncation")) {
    HONE_ASSIGN_OR_RETURN(parts.truncation, TruncationFromJson(*json));
  }
  if (const auto json = root.Find("padding")) {
    parts.pad_id = 0;
    if (const auto pad = json->Find("pad_id")) {
      HONE_ASSIGN_OR_RETURN(parts.pad_id, pad->IntIn(0, Vocabulary::kMaxId - 1));
    }
  }
  return MakeTokenizer(std::move(parts));
}

}  // namespace hone::text
