// Text Embeddings Inference: its routes, for the embedding models and classifiers served here.
#include <memory>
#include <utility>

#include "base/json.h"
#include "base/version.h"
#include "runtime/tasks/scores.h"
#include "server/api/exchange.h"
#include "server/api/rerank.h"
#include "server/api/routes.h"
#include "server/api/tei_json.h"
#include "server/api/tei_schemas.h"

namespace hone::server {
namespace {

using model::Task;
using Segments = std::vector<std::string>;

constexpr Protocol kProtocol = Protocol::kTei;
constexpr Use kEmbeddings = {"embeddings", IsOneOf<Task::kEmbedding>};
constexpr Use kLabels = {"labels of a text", IsOneOf<Task::kSequenceClassification, Task::kJoint>};
constexpr Use kTokens = {"tokens", nullptr};

CancelRequest Refuse(const Fault& fault, const Respond& respond) {
  respond(FaultResponse(kProtocol, fault));
  return {};
}

// What computes nothing needs no terms; those that make no sense are refused all the same.
MaybeFault CheckTerms(const ApiContext& api, const HttpRequest& http) {
  Terms terms;
  return ReadTerms(http, api.service.options(), &terms);
}

// As TEI: a model's special tokens alone say nothing.
MaybeFault CheckNotEmpty(const TextInput& input) {
  if (!input.text.empty() || !input.ids.empty() || (input.pair && !input.pair->empty())) return {};
  return Empty(input.field, "cannot be empty");
}

using Reader = MaybeFault (*)(std::string_view body, int max_texts, TeiRequest* request);

// Reads, chooses, encodes: what the routes over texts have in common.
MaybeFault Prepare(const ApiContext& api, const HttpRequest& http, Reader read, const Use& use,
                   TeiRequest* request, Query* query) {
  const ServiceOptions& options = api.service.options();
  HONE_RETURN_IF_FAULT(read(http.body, options.max_texts, request));
  HONE_RETURN_IF_FAULT(ReadTerms(http, options, &query->terms));
  HONE_RETURN_IF_FAULT(ChooseEndpoint(api, http, request->model, use, &query->endpoint));
  for (const TextInput& input : request->inputs) HONE_RETURN_IF_FAULT(CheckNotEmpty(input));
  return EncodeAll(*query->endpoint, request->inputs, request->truncate, false, &query->texts);
}

CancelRequest Embed(ApiContext& api, const HttpRequest& http, const Segments&, Respond respond) {
  auto request = std::make_shared<TeiRequest>();
  Query query{.arrival = http.arrival};
  if (auto fault = Prepare(api, http, ReadTeiEmbed, kEmbeddings, request.get(), &query)) {
    return Refuse(*fault, respond);
  }
  const int width = query.endpoint->head.outputs[0].width;
  if (request->dimensions > width) {
    return Refuse(
        BadRequest("dimensions", request->dimensions, " are more than the model's ", width),
        respond);
  }
  request->inputs.clear();
  auto write = [request](const Reply& reply) {
    return JsonResponse(WriteTeiEmbeddings(*request, reply.results, false));
  };
  return Exchange(api, kProtocol, std::move(query), std::move(write), std::move(respond));
}

CancelRequest EmbedAll(ApiContext& api, const HttpRequest& http, const Segments&, Respond respond) {
  auto request = std::make_shared<TeiRequest>();
  Query query{.hidden = true, .arrival = http.arrival};
  if (auto fault = Prepare(api, http, ReadTeiEmbed, kEmbeddings, request.get(), &query)) {
    return Refuse(*fault, respond);
  }
  auto write = [request](const Reply& reply) {
    return JsonResponse(WriteTeiEmbeddings(*request, reply.results, true));
  };
  return Exchange(api, kProtocol, std::move(query), std::move(write), std::move(respond));
}

CancelRequest EmbedSparse(ApiContext& api, const HttpRequest& http, const Segments&,
                          Respond respond) {
  TeiRequest request;
  if (auto fault = ReadTeiEmbed(http.body, api.service.options().max_texts, &request)) {
    return Refuse(*fault, respond);
  }
  std::shared_ptr<const Endpoint> endpoint;
  if (auto fault = ChooseEndpoint(api, http, request.model, kTokens, &endpoint)) {
    return Refuse(*fault, respond);
  }
  return Refuse(
      NotSupported("model", "sparse embeddings (SPLADE) are not supported by this model: ", "\"",
                   endpoint->name, "\" is ", SayTask(endpoint->task)),
      respond);
}

CancelRequest Predict(ApiContext& api, const HttpRequest& http, const Segments&, Respond respond) {
  auto request = std::make_shared<TeiRequest>();
  Query query{.arrival = http.arrival};
  if (auto fault = Prepare(api, http, ReadTeiPredict, kLabels, request.get(), &query)) {
    return Refuse(*fault, respond);
  }
  auto write = [request, endpoint = query.endpoint](const Reply& reply) {
    const model::Head& head = endpoint->head;
    // As TEI: one label alone is a score from 0 to 1.
    runtime::ScoreFunction function = head.labels.size() == 1
                                          ? runtime::ScoreFunction::kSigmoid
                                          : runtime::ScoreFunctionOf(head.problem);
    if (request->raw_scores) function = runtime::ScoreFunction::kNone;
    base::JsonWriter json;
    if (!request->single) json.BeginArray();
    for (const TextResult& result : reply.results) {
      WriteLabels(runtime::ScoreLabels(result.outputs[0].values, head.labels, function, 0), &json);
    }
    if (!request->single) json.EndArray();
    return JsonResponse(json.Take());
  };
  return Exchange(api, kProtocol, std::move(query), std::move(write), std::move(respond));
}

CancelRequest Similarity(ApiContext& api, const HttpRequest& http, const Segments&,
                         Respond respond) {
  TeiRequest request;
  Query query{.uncounted = 1, .arrival = http.arrival};
  if (auto fault = Prepare(api, http, ReadTeiSimilarity, kEmbeddings, &request, &query)) {
    return Refuse(*fault, respond);
  }
  auto write = [endpoint = query.endpoint](const Reply& reply) {
    return JsonResponse(WriteNumbers(RankingScores(*endpoint, reply.results, false)));
  };
  return Exchange(api, kProtocol, std::move(query), std::move(write), std::move(respond));
}

MaybeFault PrepareRerank(const ApiContext& api, const HttpRequest& http, TeiRerankRequest* request,
                         Query* query) {
  const ServiceOptions& options = api.service.options();
  HONE_RETURN_IF_FAULT(ReadTeiRerank(http.body, options.max_texts, request));
  HONE_RETURN_IF_FAULT(ReadTerms(http, options, &query->terms));
  HONE_RETURN_IF_FAULT(
      ChooseEndpoint(api, http, request->model, {kReranking, CanRank}, &query->endpoint));
  return EncodeRanking(request->query, request->texts, request->truncate, "query", "texts", query);
}

CancelRequest Rerank(ApiContext& api, const HttpRequest& http, const Segments&, Respond respond) {
  auto request = std::make_shared<TeiRerankRequest>();
  Query query{.arrival = http.arrival};
  if (auto fault = PrepareRerank(api, http, request.get(), &query)) return Refuse(*fault, respond);
  auto write = [request, endpoint = query.endpoint](const Reply& reply) {
    const std::vector<float> scores = RankingScores(*endpoint, reply.results, request->raw_scores);
    return JsonResponse(WriteTeiRanks(*request, Rank(scores, 0)));
  };
  return Exchange(api, kProtocol, std::move(query), std::move(write), std::move(respond));
}

CancelRequest Tokenize(ApiContext& api, const HttpRequest& http, const Segments&, Respond respond) {
  TeiRequest request;
  std::shared_ptr<const Endpoint> endpoint;
  if (auto fault = ReadTeiTokenize(http.body, api.service.options().max_texts, &request)) {
    return Refuse(*fault, respond);
  }
  if (auto fault = CheckTerms(api, http)) return Refuse(*fault, respond);
  if (auto fault = ChooseEndpoint(api, http, request.model, kTokens, &endpoint)) {
    return Refuse(*fault, respond);
  }
  base::JsonWriter json;
  json.BeginArray();
  text::Encoding& encoding = WarmEncoding(endpoint->tokenizer.get());
  std::size_t tokens = 0;
  for (const TextInput& input : request.inputs) {
    endpoint->tokenizer->Encode(input.text, {.add_special_tokens = request.add_special_tokens},
                                &encoding);
    tokens += encoding.ids.size();
    if (tokens > static_cast<std::size_t>(kMaxIds)) {
      return Refuse(TooLarge(input.field, "the texts have more than ", kMaxIds, " tokens together"),
                    respond);
    }
    WriteTeiTokens(*endpoint->tokenizer, input.text, encoding, &json);
  }
  respond(JsonResponse(json.EndArray().Take()));
  return {};
}

CancelRequest Decode(ApiContext& api, const HttpRequest& http, const Segments&, Respond respond) {
  TeiDecodeRequest request;
  std::shared_ptr<const Endpoint> endpoint;
  if (auto fault = ReadTeiDecode(http.body, api.service.options().max_texts, &request)) {
    return Refuse(*fault, respond);
  }
  if (auto fault = CheckTerms(api, http)) return Refuse(*fault, respond);
  if (auto fault = ChooseEndpoint(api, http, request.model, kTokens, &endpoint)) {
    return Refuse(*fault, respond);
  }
  base::JsonWriter json;
  json.BeginArray();
  for (std::size_t i = 0; i < request.ids.size(); ++i) {
    const std::vector<std::int32_t>& ids = request.ids[i];
    const std::string field = request.single ? "ids" : base::StrCat("ids[", i, "]");
    if (auto fault = CheckIds(ids, *endpoint, field)) return Refuse(*fault, respond);
    json.String(endpoint->tokenizer->Decode(ids, request.skip_special));
  }
  respond(JsonResponse(json.EndArray().Take()));
  return {};
}

void WriteModelType(const Endpoint& endpoint, base::JsonWriter* json) {
  json->BeginObject();
  if (endpoint.task == Task::kEmbedding) {
    const model::Rows rows = endpoint.head.outputs[0].rows;
    const std::string_view pooling = rows == model::Rows::kMean   ? "mean"
                                     : rows == model::Rows::kMax  ? "max"
                                     : rows == model::Rows::kLast ? "last_token"
                                                                  : "cls";
    json->Key("embedding").BeginObject().Key("pooling").String(pooling).EndObject();
  } else {
    json->Key(CanRank(endpoint) ? "reranker" : "classifier").BeginObject();
    json->Key("id2label").BeginObject();
    for (std::size_t i = 0; i < endpoint.head.labels.size(); ++i) {
      json->Key(base::StrCat(i)).String(endpoint.head.labels[i]);
    }
    json->EndObject().Key("label2id").BeginObject();
    for (std::size_t i = 0; i < endpoint.head.labels.size(); ++i) {
      json->Key(endpoint.head.labels[i]).Int(static_cast<std::int64_t>(i));
    }
    json->EndObject().EndObject();
  }
  json->EndObject();
}

CancelRequest Info(ApiContext& api, const HttpRequest& http, const Segments&, Respond respond) {
  std::shared_ptr<const Endpoint> endpoint;
  if (auto fault = ChooseEndpoint(api, http, "", kTokens, &endpoint)) {
    return Refuse(*fault, respond);
  }
  const ServiceOptions& options = api.service.options();
  std::string format;
  int max_texts = 0, max_tokens = 0;
  for (const ModelStatus& status : api.service.Status().models) {
    if (status.endpoint != endpoint || status.rungs.empty()) continue;
    format = status.rungs[0].format;
  }
  for (const ModelOptions& model : options.models) {
    if (model.name != endpoint->name) continue;
    max_texts = model.max_texts;
    max_tokens = model.max_batch_tokens;
  }
  base::JsonWriter json;
  json.BeginObject().Key("model_id").String(endpoint->name);
  json.Key("model_sha").String(endpoint->sha).Key("model_dtype").String(format);
  json.Key("model_type");
  WriteModelType(*endpoint, &json);
  json.Key("max_concurrent_requests").Int(options.max_queued);
  json.Key("max_input_length").Int(endpoint->max_tokens);
  json.Key("max_batch_tokens").Int(max_tokens).Key("max_batch_requests").Int(max_texts);
  json.Key("max_client_batch_size").Int(options.max_texts).Key("auto_truncate").Bool(false);
  json.Key("tokenization_workers").Int(1).Key("version").String(base::kVersion);
  json.Key("sha").Null().Key("docker_label").Null();
  respond(JsonResponse(json.EndObject().Take()));
  return {};
}

}  // namespace

std::vector<Route> TeiRoutes() {
  constexpr std::string_view kTag = "Text Embeddings Inference";
  return {
      {"POST", "/embed", kTag, "A vector a text", kTeiEmbedSchema, kTeiVectorsAnswer, Embed},
      {"POST", "/embed_all", kTag, "A vector a token, without pooling", kTeiEmbedSchema,
       kTeiAllVectorsAnswer, EmbedAll},
      {"POST", "/embed_sparse", kTag, "Sparse vectors, which no model here has yet",
       kTeiEmbedSchema, "", EmbedSparse},
      {"POST", "/predict", kTag, "Labels of texts or pairs, best first", kTeiPredictSchema,
       kTeiPredictAnswer, Predict},
      {"POST", "/rerank", kTag, "Texts in the order of their nearness to a query", kTeiRerankSchema,
       kTeiRerankAnswer, Rerank},
      {"POST", "/similarity", kTag, "How near sentences are to one: cosines", kTeiSimilaritySchema,
       kTeiNumbersAnswer, Similarity},
      {"POST", "/tokenize", kTag, "Tokens of texts", kTeiTokenizeSchema, kTeiTokenizeAnswer,
       Tokenize},
      {"POST", "/decode", kTag, "Texts of tokens", kTeiDecodeSchema, kTeiStringsAnswer, Decode},
      {"GET",
       "/info",
       kTag,
       "The model that requests without a name are for; another with ?model=",
       "",
       kTeiInfoAnswer,
       Info,
       {.may_name_model = true}},
  };
}

}  // namespace hone::server
