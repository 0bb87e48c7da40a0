#include "server/api/tei_json.h"

#include "base/json.h"
#include "base/strings.h"
#include "server/api/fields.h"
#include "server/api/vectors.h"

namespace hone::server {
namespace {

constexpr int kMaxDimensions = 1 << 16;

MaybeFault ReadTruncate(const base::JsonValue& object, Truncate* truncate) {
  HONE_RETURN_IF_FAULT(ReadBool(object, "truncate", &truncate->allowed));
  std::string direction = "right";
  HONE_RETURN_IF_FAULT(ReadString(object, "truncation_direction", &direction));
  direction = base::AsciiLower(direction);
  if (direction != "left" && direction != "right") {
    return BadRequest("truncation_direction", "expected \"left\" or \"right\", found \"",
                      direction.substr(0, 40), "\"");
  }
  truncate->left = direction == "left";
  return {};
}

// The body's object with its model and truncation, and the member `inputs`.
MaybeFault Open(std::string_view body, std::optional<base::Json>* json, TeiRequest* request,
                std::optional<base::JsonValue>* inputs) {
  HONE_RETURN_IF_FAULT(ParseBody(body, json));
  const base::JsonValue root = (*json)->root();
  HONE_RETURN_IF_FAULT(ReadString(root, "model", &request->model));
  HONE_RETURN_IF_FAULT(ReadTruncate(root, &request->truncate));
  return Require(root, "inputs", inputs);
}

// [string] or [string, string]
MaybeFault ReadSequence(const base::JsonValue& value, std::vector<TextInput>* inputs) {
  if (!value.IsArray() || value.size() < 1 || value.size() > 2) {
    return Wrong(value, "expected [string] or [string, string]");
  }
  TextInput input{.text = {}, .field = FieldOf(value)};
  HONE_RETURN_IF_FAULT(AsString(*value.At(0), &input.text));
  if (value.size() == 2) HONE_RETURN_IF_FAULT(AsString(*value.At(1), &input.pair.emplace()));
  inputs->push_back(std::move(input));
  return {};
}

}  // namespace

MaybeFault ReadTeiEmbed(std::string_view body, int max_texts, TeiRequest* request) {
  std::optional<base::Json> json;
  std::optional<base::JsonValue> inputs;
  HONE_RETURN_IF_FAULT(Open(body, &json, request, &inputs));
  HONE_RETURN_IF_FAULT(ReadTexts(*inputs, max_texts, &request->inputs, &request->single));
  HONE_RETURN_IF_FAULT(ReadBool(json->root(), "normalize", &request->normalize));
  std::int64_t dimensions = 0;
  HONE_RETURN_IF_FAULT(ReadInt(json->root(), "dimensions", 1, kMaxDimensions, &dimensions));
  request->dimensions = static_cast<int>(dimensions);
  std::string prompt;
  HONE_RETURN_IF_FAULT(ReadString(json->root(), "prompt_name", &prompt));
  if (!prompt.empty()) {
    return NotSupported("prompt_name", "this model has no prompts; put the prompt into the text");
  }
  return {};
}

MaybeFault ReadTeiPredict(std::string_view body, int max_texts, TeiRequest* request) {
  std::optional<base::Json> json;
  std::optional<base::JsonValue> inputs;
  HONE_RETURN_IF_FAULT(Open(body, &json, request, &inputs));
  HONE_RETURN_IF_FAULT(ReadBool(json->root(), "raw_scores", &request->raw_scores));
  request->single = true;
  if (inputs->IsString()) {
    TextInput& input = request->inputs.emplace_back();
    input.field = "inputs";
    return AsString(*inputs, &input.text);
  }
  if (!inputs->IsArray() || inputs->size() == 0) {
    return Wrong(*inputs,
                 "expected a string, a pair [string, string], or an array of [string] and "
                 "[string, string]");
  }
  if ((*inputs->begin()).IsString()) return ReadSequence(*inputs, &request->inputs);
  request->single = false;
  HONE_RETURN_IF_FAULT(CheckCount(*inputs, max_texts));
  for (const base::JsonValue sequence : *inputs) {
    HONE_RETURN_IF_FAULT(ReadSequence(sequence, &request->inputs));
  }
  return {};
}

MaybeFault ReadTeiSimilarity(std::string_view body, int max_texts, TeiRequest* request) {
  std::optional<base::Json> json;
  std::optional<base::JsonValue> inputs, source, sentences;
  HONE_RETURN_IF_FAULT(Open(body, &json, request, &inputs));
  if (!inputs->IsObject()) {
    return Wrong(*inputs, "expected an object with source_sentence and sentences");
  }
  if (const auto parameters = json->root().Find("parameters")) {
    if (!parameters->IsObject()) return Wrong(*parameters, "expected an object");
    HONE_RETURN_IF_FAULT(ReadTruncate(*parameters, &request->truncate));
  }
  HONE_RETURN_IF_FAULT(Require(*inputs, "source_sentence", &source));
  HONE_RETURN_IF_FAULT(Require(*inputs, "sentences", &sentences));
  TextInput& first = request->inputs.emplace_back();
  first.field = FieldOf(*source);
  HONE_RETURN_IF_FAULT(AsString(*source, &first.text));
  if (!sentences->IsArray()) return Wrong(*sentences, "expected an array of strings");
  HONE_RETURN_IF_FAULT(CheckCount(*sentences, max_texts));
  for (const base::JsonValue sentence : *sentences) {
    TextInput input{.text = {}, .field = FieldOf(sentence)};
    HONE_RETURN_IF_FAULT(AsString(sentence, &input.text));
    request->inputs.push_back(std::move(input));
  }
  return {};
}

MaybeFault ReadTeiTokenize(std::string_view body, int max_texts, TeiRequest* request) {
  std::optional<base::Json> json;
  std::optional<base::JsonValue> inputs;
  HONE_RETURN_IF_FAULT(Open(body, &json, request, &inputs));
  HONE_RETURN_IF_FAULT(ReadTexts(*inputs, max_texts, &request->inputs, &request->single));
  for (const TextInput& input : request->inputs) {
    if (!input.ids.empty()) return BadRequest(input.field, "expected a string, found token ids");
    if (input.text.size() > kMaxTextBytes) {
      return TooLarge(input.field, "a text of ", input.text.size(), " bytes is over the limit of ",
                      kMaxTextBytes);
    }
  }
  HONE_RETURN_IF_FAULT(CheckAllBytes(request->inputs));
  return ReadBool(json->root(), "add_special_tokens", &request->add_special_tokens);
}

MaybeFault ReadTeiRerank(std::string_view body, int max_texts, TeiRerankRequest* request) {
  std::optional<base::Json> json;
  HONE_RETURN_IF_FAULT(ParseBody(body, &json));
  const base::JsonValue root = json->root();
  HONE_RETURN_IF_FAULT(ReadString(root, "model", &request->model));
  HONE_RETURN_IF_FAULT(ReadTruncate(root, &request->truncate));
  std::optional<base::JsonValue> query, texts;
  HONE_RETURN_IF_FAULT(Require(root, "query", &query));
  HONE_RETURN_IF_FAULT(AsString(*query, &request->query));
  HONE_RETURN_IF_FAULT(Require(root, "texts", &texts));
  if (!texts->IsArray()) return Wrong(*texts, "expected an array of strings");
  HONE_RETURN_IF_FAULT(CheckCount(*texts, max_texts));
  for (const base::JsonValue text : *texts) {
    HONE_RETURN_IF_FAULT(AsString(text, &request->texts.emplace_back()));
  }
  HONE_RETURN_IF_FAULT(ReadBool(root, "raw_scores", &request->raw_scores));
  return ReadBool(root, "return_text", &request->return_text);
}

MaybeFault ReadTeiDecode(std::string_view body, int max_texts, TeiDecodeRequest* request) {
  std::optional<base::Json> json;
  HONE_RETURN_IF_FAULT(ParseBody(body, &json));
  const base::JsonValue root = json->root();
  HONE_RETURN_IF_FAULT(ReadString(root, "model", &request->model));
  HONE_RETURN_IF_FAULT(ReadBool(root, "skip_special_tokens", &request->skip_special));
  std::optional<base::JsonValue> ids;
  HONE_RETURN_IF_FAULT(Require(root, "ids", &ids));
  if (!ids->IsArray() || ids->size() == 0) return Wrong(*ids, "expected an array of token ids");
  request->single = !(*ids->begin()).IsArray();
  if (request->single) return AsIds(*ids, kMaxIds, &request->ids.emplace_back());
  HONE_RETURN_IF_FAULT(CheckCount(*ids, max_texts));
  std::size_t sum = 0;
  for (const base::JsonValue text : *ids) {
    HONE_RETURN_IF_FAULT(AsIds(text, kMaxIds, &request->ids.emplace_back()));
    sum += request->ids.back().size();
    if (sum <= static_cast<std::size_t>(kMaxIds)) continue;
    return TooLarge(FieldOf(text), "the token ids together are over the limit of ", kMaxIds);
  }
  return {};
}

std::string WriteTeiEmbeddings(const TeiRequest& request, std::span<const TextResult> results,
                               bool all) {
  std::string out = "[";
  std::vector<float> changed;
  for (const TextResult& result : results) {
    if (out.size() > 1) out += ',';
    const Rows& rows = result.outputs[0];
    if (all) out += '[';
    for (int r = 0; r < rows.rows(); ++r) {
      const auto width = static_cast<std::size_t>(rows.width);
      auto row = std::span(rows.values).subspan(static_cast<std::size_t>(r) * width, width);
      if (!all) {
        changed = Shorten(row, request.dimensions);
        if (request.normalize) Normalize(changed);
        row = changed;
      }
      if (r > 0) out += ',';
      AppendJson(row, &out);
    }
    if (all) out += ']';
  }
  out += ']';
  return out;
}

void WriteLabels(std::span<const runtime::LabelScore> labels, base::JsonWriter* json) {
  json->BeginArray();
  for (const runtime::LabelScore& label : labels) {
    json->BeginObject().Key("score").Double(double{label.score}, 7);
    json->Key("label").String(label.label).EndObject();
  }
  json->EndArray();
}

std::string WriteTeiRanks(const TeiRerankRequest& request, std::span<const Ranked> ranked) {
  base::JsonWriter json;
  json.BeginArray();
  for (const Ranked& one : ranked) {
    json.BeginObject().Key("index").Int(one.index).Key("score").Double(double{one.score}, 7);
    if (request.return_text) {
      json.Key("text").String(request.texts[static_cast<std::size_t>(one.index)]);
    }
    json.EndObject();
  }
  return json.EndArray().Take();
}

std::string WriteNumbers(std::span<const float> values) {
  std::string out;
  AppendJson(values, &out);
  return out;
}

void WriteTeiTokens(const text::Tokenizer& tokenizer, std::string_view text,
                    const text::Encoding& encoding, base::JsonWriter* json) {
  json->BeginArray();
  CharacterIndex characters(text);
  for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
    const bool special = encoding.sequence[i] < 0;
    const text::Span span = encoding.offsets[i];
    json->BeginObject().Key("id").Int(encoding.ids[i]).Key("text");
    json->String(special ? tokenizer.Token(encoding.ids[i])
                         : text.substr(span.begin, span.end - span.begin));
    json->Key("special").Bool(special);
    if (special) {
      json->Key("start").Null().Key("stop").Null().EndObject();
      continue;
    }
    json->Key("start").Int(characters.At(span.begin));
    json->Key("stop").Int(characters.At(span.end)).EndObject();
  }
  json->EndArray();
}

}  // namespace hone::server
