// Hone's own routes: what the other protocols have no words for.
#include <memory>
#include <utility>

#include "base/json.h"
#include "server/api/answers.h"
#include "server/api/exchange.h"
#include "server/api/hone_json.h"
#include "server/api/hone_schemas.h"
#include "server/api/routes.h"

namespace hone::server {
namespace {

using model::Task;
using Segments = std::vector<std::string>;

constexpr Protocol kProtocol = Protocol::kHone;
constexpr Use kAnswering = {"answering questions", IsOneOf<Task::kQuestionAnswering>};
constexpr Use kTagging = {"tagging", IsOneOf<Task::kTokenClassification, Task::kJoint>};
constexpr Use kLabels = {"labels of a text", IsOneOf<Task::kSequenceClassification, Task::kJoint>};
constexpr Use kFilling = {"filling masks", IsOneOf<Task::kFillMask>};

CancelRequest Refuse(const Fault& fault, const Respond& respond) {
  respond(FaultResponse(kProtocol, fault));
  return {};
}

// What the writing of an answer needs of its request, texts and offsets included.
template <typename Request>
struct Asked {
  Request request;
  std::vector<text::Encoding> encodings;  // whole
};

MaybeFault PrepareAnswer(const ApiContext& api, const HttpRequest& http,
                         Asked<AnswerRequest>* asked, Query* query) {
  const ServiceOptions& options = api.service.options();
  HONE_RETURN_IF_FAULT(ReadAnswer(http.body, &asked->request));
  HONE_RETURN_IF_FAULT(ReadTerms(http, options, &query->terms));
  HONE_RETURN_IF_FAULT(
      ChooseEndpoint(api, http, asked->request.model, kAnswering, &query->endpoint));
  HONE_RETURN_IF_FAULT(MakeWindows(*query->endpoint, asked->request.question,
                                   asked->request.context, asked->request.stride, options.max_texts,
                                   &asked->encodings));
  for (const text::Encoding& window : asked->encodings) query->texts.push_back(IdsOf(window));
  return {};
}

CancelRequest Answer(ApiContext& api, const HttpRequest& http, const Segments&, Respond respond) {
  auto asked = std::make_shared<Asked<AnswerRequest>>();
  Query query{.arrival = http.arrival};
  if (auto fault = PrepareAnswer(api, http, asked.get(), &query)) return Refuse(*fault, respond);
  auto write = [asked, endpoint = query.endpoint](const Reply& reply) {
    const AnswerRequest& request = asked->request;
    return JsonResponse(
        WriteAnswers(request, endpoint->name,
                     AnswersOf(asked->encodings, reply.results, request.context, request.options)));
  };
  return Exchange(api, kProtocol, std::move(query), std::move(write), std::move(respond));
}

MaybeFault PrepareLabels(const ApiContext& api, const HttpRequest& http, const Use& use,
                         Asked<LabelRequest>* asked, Query* query) {
  const ServiceOptions& options = api.service.options();
  LabelRequest& request = asked->request;
  HONE_RETURN_IF_FAULT(ReadLabelRequest(http.body, options.max_texts, &request));
  HONE_RETURN_IF_FAULT(ReadTerms(http, options, &query->terms));
  HONE_RETURN_IF_FAULT(ChooseEndpoint(api, http, request.model, use, &query->endpoint));
  HONE_RETURN_IF_FAULT(EncodeAll(*query->endpoint, request.inputs, {.allowed = request.truncate},
                                 true, &asked->encodings));
  for (const text::Encoding& encoding : asked->encodings) query->texts.push_back(IdsOf(encoding));
  return {};
}

// {"model":…,"results":[…]}: `one` writes the members of text i.
std::string WriteResults(const Endpoint& endpoint, const Asked<LabelRequest>& asked,
                         const Reply& reply,
                         const std::function<void(std::size_t, base::JsonWriter*)>& one) {
  base::JsonWriter json;
  json.BeginObject().Key("model").String(endpoint.name).Key("results").BeginArray();
  for (std::size_t i = 0; i < reply.results.size(); ++i) {
    json.BeginObject().Key("text").String(asked.request.inputs[i].text);
    one(i, &json);
    json.EndObject();
  }
  return json.EndArray().EndObject().Take();
}

CancelRequest Tag(ApiContext& api, const HttpRequest& http, const Segments&, Respond respond) {
  auto asked = std::make_shared<Asked<LabelRequest>>();
  Query query{.arrival = http.arrival};
  if (auto fault = PrepareLabels(api, http, kTagging, asked.get(), &query)) {
    return Refuse(*fault, respond);
  }
  auto write = [asked, endpoint = query.endpoint](const Reply& reply) {
    return JsonResponse(
        WriteResults(*endpoint, *asked, reply, [&](std::size_t i, base::JsonWriter* json) {
          const std::string& text = asked->request.inputs[i].text;
          const text::Encoding& encoding = asked->encodings[i];
          if (endpoint->task == Task::kTokenClassification) {
            json->Key("entities");
            WriteEntities(
                asked->request, text,
                EntitiesOf(*endpoint, text, encoding, reply.results[i], asked->request.aggregation),
                json);
            return;
          }
          const runtime::JointResult joint = JointOf(*endpoint, text, encoding, reply.results[i]);
          json->Key("intent").BeginObject().Key("label").String(joint.intent.label);
          json->Key("score").Double(double{joint.intent.score}, 6).EndObject().Key("slots");
          WriteEntities(asked->request, text, joint.slots, json);
        }));
  };
  return Exchange(api, kProtocol, std::move(query), std::move(write), std::move(respond));
}

CancelRequest Classify(ApiContext& api, const HttpRequest& http, const Segments&, Respond respond) {
  auto asked = std::make_shared<Asked<LabelRequest>>();
  Query query{.arrival = http.arrival};
  if (auto fault = PrepareLabels(api, http, kLabels, asked.get(), &query)) {
    return Refuse(*fault, respond);
  }
  auto write = [asked, endpoint = query.endpoint](const Reply& reply) {
    return JsonResponse(
        WriteResults(*endpoint, *asked, reply, [&](std::size_t i, base::JsonWriter* json) {
          json->Key("labels").BeginArray();
          for (const runtime::LabelScore& label :
               LabelsOf(*endpoint, reply.results[i], asked->request.top)) {
            json->BeginObject().Key("label").String(label.label);
            json->Key("score").Double(double{label.score}, 6).EndObject();
          }
          json->EndArray();
        }));
  };
  return Exchange(api, kProtocol, std::move(query), std::move(write), std::move(respond));
}

CancelRequest Fill(ApiContext& api, const HttpRequest& http, const Segments&, Respond respond) {
  auto asked = std::make_shared<Asked<LabelRequest>>();
  Query query{.arrival = http.arrival};
  if (auto fault = PrepareLabels(api, http, kFilling, asked.get(), &query)) {
    return Refuse(*fault, respond);
  }
  const int count = asked->request.top > 0 ? asked->request.top : kDefaultFillings;
  if (auto fault = CheckFillings(*query.endpoint, asked->encodings, count, "top")) {
    return Refuse(*fault, respond);
  }
  auto write = [asked, count, endpoint = query.endpoint](const Reply& reply) {
    return JsonResponse(
        WriteResults(*endpoint, *asked, reply, [&](std::size_t i, base::JsonWriter* json) {
          json->Key("masks").BeginArray();
          for (const auto& fillings : FillingsOf(reply.results[i], count)) {
            json->BeginArray();
            for (const runtime::TokenScore& filling : fillings) {
              json->BeginObject().Key("token").String(endpoint->tokenizer->Token(filling.token));
              json->Key("id").Int(filling.token);
              json->Key("score").Double(double{filling.score}, 6).EndObject();
            }
            json->EndArray();
          }
          json->EndArray();
        }));
  };
  return Exchange(api, kProtocol, std::move(query), std::move(write), std::move(respond));
}

CancelRequest Models(ApiContext& api, const HttpRequest&, const Segments&, Respond respond) {
  respond(JsonResponse(WriteModels(api.service.Status())));
  return {};
}

}  // namespace

std::vector<Route> HoneRoutes() {
  constexpr std::string_view kTag = "Hone";
  return {
      {"GET", "/v1/hone/models", kTag, "Models with their rungs: state, memory, latency", "",
       kModelsAnswer, Models},
      {"POST", "/v1/hone/tag", kTag, "Entities of texts; of joint models the intent and its slots",
       kTagSchema, kResultsAnswer, Tag},
      {"POST", "/v1/hone/answer", kTag, "Answers to a question from a context of any length",
       kAnswerSchema, kAnswerAnswer, Answer},
      {"POST", "/v1/hone/classify", kTag, "Labels of texts, or of a text and its pair",
       kClassifySchema, kResultsAnswer, Classify},
      {"POST", "/v1/hone/fill", kTag, "The most probable tokens at each mask", kFillSchema,
       kResultsAnswer, Fill},
  };
}

}  // namespace hone::server
