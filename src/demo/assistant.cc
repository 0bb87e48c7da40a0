#include "demo/assistant.h"

#include <utility>
#include <vector>

#include "base/json.h"
#include "base/strings.h"
#include "demo/commands.h"
#include "demo/word_pieces.h"

namespace hone::demo {
namespace {

constexpr int kIndent = 2;

void WriteLabels(const std::string& key, const std::vector<std::string>& names,
                 base::JsonWriter* json) {
  json->Key(key).BeginObject();
  for (std::size_t i = 0; i < names.size(); ++i) json->Key(base::StrCat(i)).String(names[i]);
  json->EndObject();
}

std::string Config(const AssistantShape& shape, const std::vector<std::string>& intents,
                   const std::vector<std::string>& tags) {
  base::JsonWriter json(kIndent);
  json.BeginObject();
  json.Key("architectures").BeginArray().String("HoneForIntentAndSlots").EndArray();
  json.Key("model_type").String("bert");
  json.Key("vocab_size").Int(shape.vocabulary);
  json.Key("hidden_size").Int(shape.width);
  json.Key("num_hidden_layers").Int(shape.layers);
  json.Key("num_attention_heads").Int(shape.heads);
  json.Key("intermediate_size").Int(shape.ffn);
  json.Key("hidden_act").String("gelu");
  json.Key("max_position_embeddings").Int(shape.positions);
  json.Key("type_vocab_size").Int(2);
  json.Key("layer_norm_eps").Double(1e-12);
  json.Key("hidden_dropout_prob").Double(0.1);
  json.Key("attention_probs_dropout_prob").Double(0.1);
  json.Key("initializer_range").Double(0.02);
  json.Key("pad_token_id").Int(0);
  json.Key("torch_dtype").String("float32");
  WriteLabels("id2label", intents, &json);
  WriteLabels("slot_id2label", tags, &json);
  json.EndObject();
  return json.Take() + "\n";
}

// The tokenizer that BERT's vocab.txt stands for, spelt out as the tokenizers library reads it.
std::string TokenizerJson(const std::vector<std::string>& vocabulary) {
  base::JsonWriter json(kIndent);
  json.BeginObject().Key("version").String("1.0").Key("truncation").Null().Key("padding").Null();
  json.Key("added_tokens").BeginArray();
  for (int id = 0; id < 5; ++id) {  // [PAD] [UNK] [CLS] [SEP] [MASK]
    json.BeginObject().Key("id").Int(id);
    json.Key("content").String(vocabulary[static_cast<std::size_t>(id)]);
    for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized"}) {
      json.Key(flag).Bool(false);
    }
    json.Key("special").Bool(true).EndObject();
  }
  json.EndArray();
  json.Key("normalizer")
      .Raw(R"({"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,)"
           R"("strip_accents":null,"lowercase":true})");
  json.Key("pre_tokenizer").Raw(R"({"type":"BertPreTokenizer"})");
  json.Key("post_processor")
      .Raw(R"({"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]})");
  json.Key("decoder").Raw(R"({"type":"WordPiece","prefix":"##","cleanup":true})");
  json.Key("model").BeginObject().Key("type").String("WordPiece").Key("unk_token").String("[UNK]");
  json.Key("continuing_subword_prefix").String("##").Key("max_input_chars_per_word").Int(100);
  json.Key("vocab").BeginObject();
  for (std::size_t id = 0; id < vocabulary.size(); ++id) {
    json.Key(vocabulary[id]).Int(static_cast<std::int64_t>(id));
  }
  json.EndObject().EndObject().EndObject();
  return json.Take() + "\n";
}

std::string TokenizerConfig(const AssistantShape& shape) {
  return base::StrCat(
      "{\n  \"tokenizer_class\": \"BertTokenizer\",\n  \"do_lower_case\": true,\n"
      "  \"model_max_length\": ",
      shape.positions,
      ",\n  \"pad_token\": \"[PAD]\",\n  \"unk_token\": \"[UNK]\",\n  \"cls_token\": \"[CLS]\",\n"
      "  \"sep_token\": \"[SEP]\",\n  \"mask_token\": \"[MASK]\"\n}\n");
}

}  // namespace

base::Status WriteBlank(env::FileSystem& files, const std::string& directory,
                        const AssistantShape& shape, std::span<const eval::Example> commands) {
  const std::vector<std::string> vocabulary =
      MakeWordPieces(commands, static_cast<std::size_t>(shape.vocabulary));
  AssistantShape fitted = shape;
  fitted.vocabulary = static_cast<int>(vocabulary.size());
  HONE_RETURN_IF_ERROR(files.MakeDirectory(directory));
  const std::pair<const char*, std::string> texts[] = {
      {"config.json", Config(fitted, IntentNames(), TagNames())},
      {"vocab.txt", base::Join(vocabulary, "\n") + "\n"},
      {"tokenizer.json", TokenizerJson(vocabulary)},
      {"tokenizer_config.json", TokenizerConfig(fitted)}};
  for (const auto& [name, text] : texts) {
    HONE_RETURN_IF_ERROR(env::WriteFile(files, env::JoinPath(directory, name), text));
  }
  return base::OkStatus();
}

}  // namespace hone::demo
