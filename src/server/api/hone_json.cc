#include "server/api/hone_json.h"

#include <algorithm>

#include "base/json.h"
#include "server/api/exchange.h"
#include "server/api/fields.h"

namespace hone::server {
namespace {

constexpr int kMaxTop = 1 << 10;

MaybeFault ReadWords(const base::JsonValue& words, LabelRequest* request) {
  if (!words.IsArray()) return Wrong(words, "expected an array of strings");
  HONE_RETURN_IF_FAULT(CheckCount(words, kMaxIds));
  TextInput& input = request->inputs.emplace_back();
  input.field = "words";
  for (const base::JsonValue word : words) {
    std::string text;
    HONE_RETURN_IF_FAULT(AsString(word, &text));
    if (!input.text.empty()) input.text += ' ';
    request->word_begins.push_back(input.text.size());
    input.text += text;
  }
  return {};
}

MaybeFault ReadInputs(const base::JsonValue& root, int max_texts, LabelRequest* request) {
  const auto text = root.Find("text"), texts = root.Find("texts"), words = root.Find("words");
  if ((text ? 1 : 0) + (texts ? 1 : 0) + (words ? 1 : 0) != 1) {
    return BadRequest("text", "exactly one of text, texts and words is wanted");
  }
  if (words) return ReadWords(*words, request);
  if (text) {
    TextInput& input = request->inputs.emplace_back();
    input.field = "text";
    HONE_RETURN_IF_FAULT(AsString(*text, &input.text));
    if (const auto pair = root.Find("pair")) return AsString(*pair, &input.pair.emplace());
    return {};
  }
  if (!texts->IsArray()) return Wrong(*texts, "expected an array of strings");
  HONE_RETURN_IF_FAULT(CheckCount(*texts, max_texts));
  for (const base::JsonValue one : *texts) {
    TextInput input{.text = {}, .field = FieldOf(one)};
    HONE_RETURN_IF_FAULT(AsString(one, &input.text));
    request->inputs.push_back(std::move(input));
  }
  return {};
}

void WriteCounters(const Counters& c, base::JsonWriter* json) {
  json->BeginObject().Key("accepted").Int(c.accepted).Key("answered").Int(c.answered);
  json->Key("refused").Int(c.refused).Key("missed").Int(c.missed);
  json->Key("cancelled").Int(c.cancelled).Key("failed").Int(c.failed);
  json->Key("texts").Int(c.texts).Key("tokens").Int(c.tokens).EndObject();
}

void WriteRung(const RungInfo& rung, base::JsonWriter* json) {
  json->BeginObject().Key("name").String(rung.name).Key("format").String(rung.format);
  json->Key("state").String(NameOf(rung.state));
  if (!rung.error.empty()) json->Key("error").String(rung.error);
  if (!rung.metric.empty()) {
    json->Key("metric").String(rung.metric).Key("accuracy").Double(rung.accuracy, 6);
  }
  json->Key("p50_ms").Double(rung.p50_ms, 4).Key("p95_ms").Double(rung.p95_ms, 4);
  json->Key("bytes").Int(static_cast<std::int64_t>(rung.bytes));
  json->Key("load").BeginObject();
  json->Key("map_ms").Double(rung.load.map_ms, 4).Key("pack_ms").Double(rung.load.pack_ms, 4);
  json->Key("warm_ms").Double(rung.load.warm_ms, 4);
  json->Key("measure_ms").Double(rung.load.measure_ms, 4).EndObject();
  json->Key("served").Int(rung.served).EndObject();
}

void WriteStrings(std::string_view key, std::span<const std::string> strings,
                  base::JsonWriter* json) {
  json->Key(key).BeginArray();
  for (const std::string& string : strings) json->String(string);
  json->EndArray();
}

}  // namespace

MaybeFault ReadAnswer(std::string_view body, AnswerRequest* request) {
  std::optional<base::Json> json;
  HONE_RETURN_IF_FAULT(ParseBody(body, &json));
  const base::JsonValue root = json->root();
  HONE_RETURN_IF_FAULT(ReadString(root, "model", &request->model));
  std::optional<base::JsonValue> question, context;
  HONE_RETURN_IF_FAULT(Require(root, "question", &question));
  HONE_RETURN_IF_FAULT(AsString(*question, &request->question));
  HONE_RETURN_IF_FAULT(Require(root, "context", &context));
  HONE_RETURN_IF_FAULT(AsString(*context, &request->context));
  std::int64_t top = 1, stride = 128, longest = 15;
  HONE_RETURN_IF_FAULT(ReadInt(root, "top", 1, kMaxTop, &top));
  HONE_RETURN_IF_FAULT(ReadInt(root, "stride", 0, kMaxIds, &stride));
  HONE_RETURN_IF_FAULT(ReadInt(root, "max_answer_tokens", 1, kMaxTop, &longest));
  request->stride = static_cast<int>(stride);
  request->options.count = static_cast<int>(top);
  request->options.max_answer_tokens = static_cast<int>(longest);
  return ReadBool(root, "no_answer", &request->options.allow_no_answer);
}

std::string WriteAnswers(const AnswerRequest& request, std::string_view model,
                         std::span<const runtime::Answer> answers) {
  base::JsonWriter json;
  json.BeginObject().Key("model").String(model).Key("answers").BeginArray();
  CharacterIndex characters(request.context);
  for (const runtime::Answer& answer : answers) {
    json.BeginObject().Key("answer").String(answer.text).Key("score").Double(answer.score, 6);
    json.Key("start").Int(characters.At(answer.span.begin));
    json.Key("end").Int(characters.At(answer.span.end)).EndObject();
  }
  return json.EndArray().EndObject().Take();
}

MaybeFault ReadLabelRequest(std::string_view body, int max_texts, LabelRequest* request) {
  std::optional<base::Json> json;
  HONE_RETURN_IF_FAULT(ParseBody(body, &json));
  const base::JsonValue root = json->root();
  HONE_RETURN_IF_FAULT(ReadString(root, "model", &request->model));
  HONE_RETURN_IF_FAULT(ReadInputs(root, max_texts, request));
  std::string aggregation = "simple";
  HONE_RETURN_IF_FAULT(ReadString(root, "aggregation", &aggregation));
  const auto parsed = runtime::ParseAggregation(aggregation);
  if (!parsed.ok()) {
    return BadRequest("aggregation", "expected none, simple, first, average or max, found \"",
                      aggregation.substr(0, 40), "\"");
  }
  request->aggregation = *parsed;
  std::int64_t top = 0;
  HONE_RETURN_IF_FAULT(ReadInt(root, "top", 1, kMaxTop, &top));
  request->top = static_cast<int>(top);
  return ReadBool(root, "truncate", &request->truncate);
}

void WriteEntities(const LabelRequest& request, std::string_view text,
                   std::span<const runtime::Entity> entities, base::JsonWriter* json) {
  json->BeginArray();
  CharacterIndex characters(text);
  const auto word_at = [&](std::size_t byte) {
    return std::ranges::upper_bound(request.word_begins, byte) - request.word_begins.begin() - 1;
  };
  for (const runtime::Entity& entity : entities) {
    const text::Span span = entity.span;
    json->BeginObject().Key("label").String(entity.label);
    json->Key("score").Double(double{entity.score}, 6);
    json->Key("text").String(text.substr(span.begin, span.end - span.begin));
    json->Key("start").Int(characters.At(span.begin)).Key("end").Int(characters.At(span.end));
    if (!request.word_begins.empty()) {
      json->Key("first_word").Int(word_at(span.begin));
      json->Key("last_word").Int(word_at(span.end > span.begin ? span.end - 1 : span.end));
    }
    json->EndObject();
  }
  json->EndArray();
}

std::string WriteModels(const ServiceStatus& status) {
  base::JsonWriter json;
  json.BeginObject().Key("policy").String(status.policy);
  json.Key("executors").BeginArray();
  for (const int threads : status.executors) json.Int(threads);
  json.EndArray().Key("queued").Int(status.queued);
  json.Key("resident_bytes").Int(static_cast<std::int64_t>(status.resident_bytes));
  json.Key("memory_bytes").Int(static_cast<std::int64_t>(status.memory_bytes));
  json.Key("reserve_ms").Double(status.reserve_ms, 4);
  json.Key("models").BeginArray();
  for (const ModelStatus& model : status.models) {
    const Endpoint& endpoint = *model.endpoint;
    json.BeginObject().Key("name").String(endpoint.name).Key("task");
    if (endpoint.architecture.empty()) {
      json.Null();  // it could not be loaded: nothing is known of it
    } else {
      json.String(NameOf(endpoint.task));
    }
    json.Key("architecture").String(endpoint.architecture).Key("ready").Bool(model.ready);
    if (!model.error.empty()) json.Key("error").String(model.error);
    json.Key("max_tokens").Int(endpoint.max_tokens).Key("width").Int(endpoint.width);
    WriteStrings("labels", endpoint.head.labels, &json);
    if (!endpoint.head.slot_labels.empty()) {
      WriteStrings("slot_labels", endpoint.head.slot_labels, &json);
    }
    json.Key("counters");
    WriteCounters(model.counters, &json);
    json.Key("rungs").BeginArray();
    for (const RungInfo& rung : model.rungs) WriteRung(rung, &json);
    json.EndArray().EndObject();
  }
  return json.EndArray().EndObject().Take();
}

}  // namespace hone::server
