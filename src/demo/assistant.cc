#include "demo/assistant.h"

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/strings.h"
#include "demo/commands.h"
#include "demo/random.h"
#include "demo/word_pieces.h"
#include "formats/safetensors_writer.h"

namespace hone::demo {
namespace {

constexpr double kDeviation = 0.02;  // BERT's initializer_range
constexpr int kIndent = 2;

// Near enough to normal: the sum of twelve uniforms has a variance of one, and needs no logarithm
// that another machine's library would round otherwise.
float Normal(Random& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += random.Unit();
  return static_cast<float>(kDeviation * sum);
}

class Weights {
 public:
  explicit Weights(std::uint64_t seed) : random_(seed) {}

  void Matrix(const std::string& name, int rows, int columns) {
    std::vector<float>& values = New(name, {rows, columns});
    for (float& value : values) value = Normal(random_);
  }
  void Linear(const std::string& name, int out, int in) {
    Matrix(name + ".weight", out, in);
    New(name + ".bias", {out});
  }
  void Norm(const std::string& name, int width) {
    for (float& value : New(name + ".weight", {width})) value = 1;
    New(name + ".bias", {width});
  }

  base::Status Write(env::FileSystem& files, const std::string& path) const {
    std::vector<formats::TensorToWrite> tensors;
    for (const auto& [name, tensor] : tensors_) {
      tensors.push_back({name, tensor::DType::kF32, tensor.shape,
                         [&values = tensor.values](const formats::ByteSink& sink) {
                           return sink(std::as_bytes(std::span(values)));
                         }});
    }
    const std::pair<std::string, std::string> metadata[] = {{"format", "pt"}};
    return formats::WriteSafetensors(files, path, std::move(tensors), metadata);
  }

 private:
  struct Tensor {
    tensor::Shape shape;
    std::vector<float> values;
  };

  std::vector<float>& New(const std::string& name, std::vector<std::int64_t> shape) {
    std::size_t count = 1;
    for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
    Tensor& tensor = tensors_[name];
    tensor.shape = tensor::Shape(std::span<const std::int64_t>(shape));
    tensor.values.assign(count, 0.0f);
    return tensor.values;
  }

  Random random_;
  std::map<std::string, Tensor> tensors_;
};

Weights MakeWeights(const AssistantShape& shape, std::size_t intents, std::size_t tags,
                    std::uint64_t seed) {
  Weights weights(seed);
  const std::string embeddings = "bert.embeddings.";
  weights.Matrix(embeddings + "word_embeddings.weight", shape.vocabulary, shape.width);
  weights.Matrix(embeddings + "position_embeddings.weight", shape.positions, shape.width);
  weights.Matrix(embeddings + "token_type_embeddings.weight", 2, shape.width);
  weights.Norm(embeddings + "LayerNorm", shape.width);
  for (int layer = 0; layer < shape.layers; ++layer) {
    const std::string at = base::StrCat("bert.encoder.layer.", layer, ".");
    for (const char* part : {"query", "key", "value"}) {
      weights.Linear(at + "attention.self." + part, shape.width, shape.width);
    }
    weights.Linear(at + "attention.output.dense", shape.width, shape.width);
    weights.Norm(at + "attention.output.LayerNorm", shape.width);
    weights.Linear(at + "intermediate.dense", shape.ffn, shape.width);
    weights.Linear(at + "output.dense", shape.width, shape.ffn);
    weights.Norm(at + "output.LayerNorm", shape.width);
  }
  weights.Linear("intent_classifier", static_cast<int>(intents), shape.width);
  weights.Linear("slot_classifier", static_cast<int>(tags), shape.width);
  return weights;
}

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
  json.Key("initializer_range").Double(kDeviation);
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

base::Status WriteUntrained(env::FileSystem& files, const std::string& directory,
                            const AssistantShape& shape, std::span<const eval::Example> commands,
                            std::uint64_t seed) {
  const std::vector<std::string> intents = IntentNames(), tags = TagNames();
  const std::vector<std::string> vocabulary =
      MakeWordPieces(commands, static_cast<std::size_t>(shape.vocabulary));
  AssistantShape fitted = shape;
  fitted.vocabulary = static_cast<int>(vocabulary.size());
  HONE_RETURN_IF_ERROR(files.MakeDirectory(directory));
  const std::pair<const char*, std::string> texts[] = {
      {"config.json", Config(fitted, intents, tags)},
      {"vocab.txt", base::Join(vocabulary, "\n") + "\n"},
      {"tokenizer.json", TokenizerJson(vocabulary)},
      {"tokenizer_config.json", TokenizerConfig(fitted)}};
  for (const auto& [name, text] : texts) {
    HONE_RETURN_IF_ERROR(env::WriteFile(files, env::JoinPath(directory, name), text));
  }
  return MakeWeights(fitted, intents.size(), tags.size(), seed)
      .Write(files, env::JoinPath(directory, "model.safetensors"));
}

}  // namespace hone::demo
