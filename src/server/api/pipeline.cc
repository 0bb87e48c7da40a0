// Hugging Face's hosted inference: one route, whose meaning is the model's task. Its clients take
// the server's address, or that of one of its models, in a model's place.
#include <algorithm>
#include <memory>
#include <utility>

#include "base/json.h"
#include "server/api/answers.h"
#include "server/api/exchange.h"
#include "server/api/pipeline_json.h"
#include "server/api/rerank.h"
#include "server/api/routes.h"
#include "server/api/vectors.h"

namespace hone::server {
namespace {

using base::JsonWriter;
using model::Task;

constexpr Protocol kProtocol = Protocol::kTei;  // its error shape has "error" too
constexpr int kStride = 128;

struct Asked {
  PipelineRequest request;
  std::vector<text::Encoding> encodings;  // whole
};

Use UseOf(PipelineShape shape) {
  switch (shape) {
    case PipelineShape::kSimilarity: return {"similarity", IsOneOf<Task::kEmbedding>};
    case PipelineShape::kQuestion:
      return {"answering questions", IsOneOf<Task::kQuestionAnswering>};
    case PipelineShape::kTexts: break;
  }
  return {"texts", IsOneOf<Task::kEmbedding, Task::kSequenceClassification,
                           Task::kTokenClassification, Task::kFillMask, Task::kJoint>};
}

int FillingsAMask(const PipelineRequest& request) {
  return request.top > 0 ? request.top : kDefaultFillings;
}

MaybeFault Prepare(const ApiContext& api, const HttpRequest& http, const std::string& named,
                   Asked* asked, Query* query) {
  const ServiceOptions& options = api.service.options();
  PipelineRequest& request = asked->request;
  HONE_RETURN_IF_FAULT(ReadPipeline(http.body, options.max_texts, &request));
  HONE_RETURN_IF_FAULT(ReadTerms(http, options, &query->terms));
  std::string name = named;
  if (!request.model.empty()) HONE_RETURN_IF_FAULT(AlsoNamed("model", request.model, &name));
  HONE_RETURN_IF_FAULT(ChooseEndpoint(api, http, name, UseOf(request.shape), &query->endpoint));
  const Endpoint& endpoint = *query->endpoint;
  if (request.shape == PipelineShape::kSimilarity) query->uncounted = 1;
  if (request.shape == PipelineShape::kQuestion) {
    HONE_RETURN_IF_FAULT(MakeWindows(endpoint, request.inputs[0].text, request.inputs[1].text,
                                     kStride, options.max_texts, &asked->encodings));
  } else {
    HONE_RETURN_IF_FAULT(EncodeAll(endpoint, request.inputs, {.allowed = request.truncate}, true,
                                   &asked->encodings));
  }
  if (endpoint.task == Task::kFillMask) {
    HONE_RETURN_IF_FAULT(
        CheckFillings(endpoint, asked->encodings, FillingsAMask(request), "inputs"));
  }
  for (const text::Encoding& encoding : asked->encodings) {
    query->texts.push_back(IdsOf(encoding));
  }
  return {};
}

void WriteVector(const Asked& asked, const TextResult& result, JsonWriter* json) {
  std::vector<float> values = result.outputs[0].values;
  if (asked.request.normalize) Normalize(values);
  std::string text;
  AppendJson(values, &text);
  json->Raw(text);
}

void WriteClasses(const Asked& asked, const Endpoint& endpoint, const TextResult& result,
                  JsonWriter* json) {
  const auto labels = asked.request.function
                          ? runtime::ScoreLabels(result.outputs[0].values, endpoint.head.labels,
                                                 *asked.request.function, asked.request.top)
                          : LabelsOf(endpoint, result, asked.request.top);
  json->BeginArray();
  for (const runtime::LabelScore& label : labels) {
    json->BeginObject().Key("label").String(label.label);
    json->Key("score").Double(double{label.score}, 7).EndObject();
  }
  json->EndArray();
}

void WriteTags(const Asked& asked, const Endpoint& endpoint, std::size_t i,
               const TextResult& result, JsonWriter* json) {
  const std::string& text = asked.request.inputs[i].text;
  CharacterIndex characters(text);
  json->BeginArray();
  for (const runtime::Entity& entity :
       EntitiesOf(endpoint, text, asked.encodings[i], result, asked.request.aggregation)) {
    const bool token = asked.request.aggregation == runtime::Aggregation::kNone;
    json->BeginObject().Key(token ? "entity" : "entity_group").String(entity.label);
    json->Key("score").Double(double{entity.score}, 7);
    json->Key("word").String(
        std::string_view(text).substr(entity.span.begin, entity.span.end - entity.span.begin));
    json->Key("start").Int(characters.At(entity.span.begin));
    json->Key("end").Int(characters.At(entity.span.end)).EndObject();
  }
  json->EndArray();
}

// The text as the tokenizer decodes it, with the mask filled.
void WriteFillings(const Asked& asked, const Endpoint& endpoint, std::size_t i,
                   const TextResult& result, JsonWriter* json) {
  const auto masks = FillingsOf(result, FillingsAMask(asked.request));
  std::vector<std::int32_t> ids = asked.encodings[i].ids;
  std::size_t at = 0;
  if (masks.size() > 1) json->BeginArray();
  for (const auto& fillings : masks) {
    while (at < ids.size() && asked.encodings[i].ids[at] != endpoint.tokenizer->mask_id()) ++at;
    json->BeginArray();
    for (const runtime::TokenScore& filling : fillings) {
      ids[at] = filling.token;
      json->BeginObject().Key("score").Double(double{filling.score}, 7);
      json->Key("token").Int(filling.token);
      json->Key("token_str").String(endpoint.tokenizer->Token(filling.token));
      json->Key("sequence").String(endpoint.tokenizer->Decode(ids, true)).EndObject();
    }
    json->EndArray();
    ids[at] = asked.encodings[i].ids[at];
    ++at;
  }
  if (masks.size() > 1) json->EndArray();
  if (masks.empty()) json->BeginArray().EndArray();
}

void WriteAnswer(const Asked& asked, const Reply& reply, JsonWriter* json) {
  const PipelineRequest& request = asked.request;
  const std::string& context = request.inputs[1].text;
  CharacterIndex characters(context);
  const auto answers = AnswersOf(asked.encodings, reply.results, context, request.answer);
  if (request.answer.count > 1) json->BeginArray();
  for (const runtime::Answer& answer : answers) {
    json->BeginObject().Key("score").Double(answer.score, 7);
    json->Key("start").Int(characters.At(answer.span.begin));
    json->Key("end").Int(characters.At(answer.span.end));
    json->Key("answer").String(answer.text).EndObject();
  }
  if (request.answer.count > 1) json->EndArray();
}

std::string WriteReply(const Asked& asked, const Endpoint& endpoint, const Reply& reply) {
  const PipelineRequest& request = asked.request;
  JsonWriter json;
  if (request.shape == PipelineShape::kSimilarity) {
    std::string text;
    AppendJson(RankingScores(endpoint, reply.results, false), &text);
    return text;
  }
  if (request.shape == PipelineShape::kQuestion) {
    WriteAnswer(asked, reply, &json);
    return json.Take();
  }
  // One text's entities and fillings are a list; its labels and its vector a list of one.
  const bool bare = request.single && (endpoint.task == Task::kTokenClassification ||
                                       endpoint.task == Task::kFillMask);
  if (!bare) json.BeginArray();
  for (std::size_t i = 0; i < reply.results.size(); ++i) {
    const TextResult& result = reply.results[i];
    switch (endpoint.task) {
      case Task::kEmbedding: WriteVector(asked, result, &json); break;
      case Task::kTokenClassification: WriteTags(asked, endpoint, i, result, &json); break;
      case Task::kFillMask: WriteFillings(asked, endpoint, i, result, &json); break;
      default: WriteClasses(asked, endpoint, result, &json);
    }
  }
  if (!bare) json.EndArray();
  return json.Take();
}

CancelRequest Pipeline(ApiContext& api, const HttpRequest& http,
                       const std::vector<std::string>& segments, Respond respond) {
  auto asked = std::make_shared<Asked>();
  Query query{.arrival = http.arrival};
  const std::string named = segments.empty() ? "" : segments[0];
  if (auto fault = Prepare(api, http, named, asked.get(), &query)) {
    respond(FaultResponse(kProtocol, *fault));
    return {};
  }
  auto write = [asked, endpoint = query.endpoint](const Reply& reply) {
    return JsonResponse(WriteReply(*asked, *endpoint, reply));
  };
  return Exchange(api, kProtocol, std::move(query), std::move(write), std::move(respond));
}

constexpr std::string_view kSchema = R"({"type":"object","required":["inputs"],"properties":{
"inputs":{"anyOf":[{"type":"string"},{"type":"array","minItems":1,"items":{"type":"string"}},
{"type":"object","required":["text"],"properties":{"text":{"type":"string"},"text_pair":{"type":"string"}}},
{"type":"object","required":["question","context"],
"properties":{"question":{"type":"string"},"context":{"type":"string"}}},
{"type":"object","required":["source_sentence","sentences"],"properties":{
"source_sentence":{"type":"string"},"sentences":{"type":"array","minItems":1,"items":{"type":"string"}}}}]},
"model":{"type":"string"},"parameters":{"type":"object","properties":{
"top_k":{"type":"integer","minimum":1,"maximum":1024},
"function_to_apply":{"type":"string","enum":["softmax","sigmoid","none"]},
"aggregation_strategy":{"type":"string","enum":["none","simple","first","average","max"]}}}},
"example":{"inputs":"turn on the light"}})";

constexpr std::string_view kAnswer = R"({"type":["array","object"]})";

}  // namespace

std::vector<Route> PipelineRoutes() {
  constexpr std::string_view kTag = "Hugging Face";
  return {
      {"POST", "/", kTag, "The first model that fits, by its own task", kSchema, kAnswer, Pipeline},
      {"POST", "/models/{model}", kTag, "A model by its own task, as InferenceClient asks", kSchema,
       kAnswer, Pipeline},
  };
}

}  // namespace hone::server
