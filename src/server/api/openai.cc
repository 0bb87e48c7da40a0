// OpenAI: the list of models, embeddings, and rerank beside them.
#include <memory>
#include <utility>

#include "base/json.h"
#include "server/api/exchange.h"
#include "server/api/openai_json.h"
#include "server/api/rerank.h"
#include "server/api/routes.h"

namespace hone::server {
namespace {

constexpr Protocol kProtocol = Protocol::kOpenAi;
using Segments = std::vector<std::string>;

void WriteModel(const Endpoint& endpoint, base::JsonWriter* json) {
  // Clients want a time of creation; a model directory has none that means something.
  json->BeginObject().Key("id").String(endpoint.name).Key("object").String("model");
  json->Key("created").Int(0).Key("owned_by").String("hone").EndObject();
}

CancelRequest ListModels(ApiContext& api, const HttpRequest&, const Segments&, Respond respond) {
  base::JsonWriter json;
  json.BeginObject().Key("object").String("list").Key("data").BeginArray();
  for (const auto& endpoint : api.service.Endpoints()) WriteModel(*endpoint, &json);
  respond(JsonResponse(json.EndArray().EndObject().Take()));
  return {};
}

CancelRequest GetModel(ApiContext& api, const HttpRequest&, const Segments& segments,
                       Respond respond) {
  const auto endpoint = api.service.Find(segments[0]);
  if (endpoint == nullptr) {
    respond(FaultResponse(kProtocol, NoModel(api.service, segments[0])));
    return {};
  }
  base::JsonWriter json;
  WriteModel(*endpoint, &json);
  respond(JsonResponse(json.Take()));
  return {};
}

MaybeFault PrepareEmbeddings(ApiContext& api, const HttpRequest& http, EmbeddingsRequest* request,
                             Query* query) {
  const ServiceOptions& options = api.service.options();
  HONE_RETURN_IF_FAULT(ReadEmbeddings(http.body, options.max_texts, request));
  HONE_RETURN_IF_FAULT(ReadTerms(http, options, &query->terms));
  HONE_RETURN_IF_FAULT(ChooseEndpoint(api, http, request->model,
                                      {"embeddings", IsOneOf<model::Task::kEmbedding>},
                                      &query->endpoint));
  const int width = query->endpoint->head.outputs[0].width;
  if (request->dimensions > width) {
    return BadRequest("dimensions", request->dimensions, " are more than the model's ", width);
  }
  return EncodeAll(*query->endpoint, request->inputs, {.allowed = request->truncate}, false,
                   &query->texts);
}

CancelRequest Embeddings(ApiContext& api, const HttpRequest& http, const Segments&,
                         Respond respond) {
  auto request = std::make_shared<EmbeddingsRequest>();
  Query query{.arrival = http.arrival};
  if (MaybeFault fault = PrepareEmbeddings(api, http, request.get(), &query)) {
    respond(FaultResponse(kProtocol, *fault));
    return {};
  }
  request->inputs.clear();
  auto write = [request, endpoint = query.endpoint](const Reply& reply) {
    return JsonResponse(
        WriteEmbeddings(*request, endpoint->name, reply.results, reply.served.tokens));
  };
  return Exchange(api, kProtocol, std::move(query), std::move(write), std::move(respond));
}

MaybeFault PrepareRerank(ApiContext& api, const HttpRequest& http, RerankRequest* request,
                         Query* query) {
  const ServiceOptions& options = api.service.options();
  HONE_RETURN_IF_FAULT(ReadRerank(http.body, options.max_texts, request));
  HONE_RETURN_IF_FAULT(ReadTerms(http, options, &query->terms));
  HONE_RETURN_IF_FAULT(
      ChooseEndpoint(api, http, request->model, {kReranking, CanRank}, &query->endpoint));
  return EncodeRanking(request->query, request->documents, {.allowed = request->truncate}, "query",
                       "documents", query);
}

CancelRequest Rerank(ApiContext& api, const HttpRequest& http, const Segments&, Respond respond) {
  auto request = std::make_shared<RerankRequest>();
  Query query{.arrival = http.arrival};
  if (MaybeFault fault = PrepareRerank(api, http, request.get(), &query)) {
    respond(FaultResponse(kProtocol, *fault));
    return {};
  }
  auto write = [request, endpoint = query.endpoint](const Reply& reply) {
    const std::vector<Ranked> ranked =
        Rank(RankingScores(*endpoint, reply.results, false), request->top);
    return JsonResponse(WriteRerank(*request, endpoint->name, ranked, reply.served.tokens));
  };
  return Exchange(api, kProtocol, std::move(query), std::move(write), std::move(respond));
}

constexpr std::string_view kModelSchema = R"({"type":"object","required":["id","object"],
"properties":{"id":{"type":"string"},"object":{"type":"string"},"created":{"type":"integer"},
"owned_by":{"type":"string"}}})";

constexpr std::string_view kModelsSchema = R"({"type":"object","required":["object","data"],
"properties":{"object":{"type":"string"},"data":{"type":"array","items":{"type":"object",
"required":["id","object"],"properties":{"id":{"type":"string"}}}}}})";

constexpr std::string_view kEmbeddingsSchema = R"({"type":"object","required":["input"],
"properties":{"model":{"type":"string"},"input":{"anyOf":[{"type":"string"},
{"type":"array","minItems":1,"items":{"type":"string"}},
{"type":"array","minItems":1,"items":{"type":"integer","minimum":0}},
{"type":"array","minItems":1,"items":{"type":"array","minItems":1,"items":{"type":"integer","minimum":0}}}]},
"encoding_format":{"type":"string","enum":["float","base64"]},
"dimensions":{"type":"integer","minimum":1,"maximum":65536},
"truncate":{"type":"boolean"},"user":{"type":"string"}},
"example":{"input":["turn on the light","it is dark in here"]}})";

constexpr std::string_view kEmbeddingsAnswer = R"({"type":"object",
"required":["object","data","model","usage"],"properties":{"object":{"type":"string"},
"data":{"type":"array","items":{"type":"object","required":["object","index","embedding"],
"properties":{"index":{"type":"integer"},"embedding":{"anyOf":[{"type":"array",
"items":{"type":"number"}},{"type":"string"}]}}}},"model":{"type":"string"},
"usage":{"type":"object","properties":{"prompt_tokens":{"type":"integer"},
"total_tokens":{"type":"integer"}}}}})";

constexpr std::string_view kRerankSchema = R"({"type":"object","required":["query","documents"],
"properties":{"model":{"type":"string"},"query":{"type":"string"},
"documents":{"type":"array","minItems":1,"items":{"anyOf":[{"type":"string"},
{"type":"object","required":["text"],"properties":{"text":{"type":"string"}}}]}},
"top_n":{"type":"integer","minimum":1,"maximum":1048576},"return_documents":{"type":"boolean"},
"truncate":{"type":"boolean"}},
"example":{"query":"why is it dark","documents":["the light is off","bread rises slowly"]}})";

constexpr std::string_view kRerankAnswer = R"({"type":"object","required":["model","results"],
"properties":{"model":{"type":"string"},"results":{"type":"array","items":{"type":"object",
"required":["index","relevance_score"],"properties":{"index":{"type":"integer"},
"relevance_score":{"type":"number"}}}}}})";

}  // namespace

std::vector<Route> OpenAiRoutes() {
  constexpr std::string_view kTag = "OpenAI";
  return {
      {"GET", "/v1/models", kTag, "The models served here", "", kModelsSchema, ListModels},
      {"GET", "/v1/models/{model}", kTag, "One of them", "", kModelSchema, GetModel},
      {"POST", "/v1/embeddings", kTag, "Vectors of texts or of token ids", kEmbeddingsSchema,
       kEmbeddingsAnswer, Embeddings},
      {"POST", "/v1/rerank", kTag,
       "Documents in the order of their nearness to a query, as Cohere and Jina have it",
       kRerankSchema, kRerankAnswer, Rerank},
  };
}

}  // namespace hone::server
