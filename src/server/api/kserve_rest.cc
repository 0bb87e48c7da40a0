// KServe v2 over REST, with the binary tensor data and model repository extensions.
#include <algorithm>
#include <memory>
#include <utility>

#include "base/json.h"
#include "base/version.h"
#include "server/api/aside.h"
#include "server/api/exchange.h"
#include "server/api/fields.h"
#include "server/api/kserve_json.h"
#include "server/api/kserve_schemas.h"
#include "server/api/routes.h"

namespace hone::server {
namespace {

using Segments = std::vector<std::string>;

constexpr Protocol kProtocol = Protocol::kKserve;

CancelRequest Refuse(const Fault& fault, const Respond& respond) {
  respond(FaultResponse(kProtocol, fault));
  return {};
}

std::string_view VersionOf(const Segments& segments) {
  return segments.size() > 1 ? std::string_view(segments[1]) : std::string_view();
}

CancelRequest Server(ApiContext&, const HttpRequest&, const Segments&, Respond respond) {
  base::JsonWriter json;
  json.BeginObject().Key("name").String("hone").Key("version").String(base::kVersion);
  json.Key("extensions").BeginArray().String("binary_tensor_data").String("model_repository");
  respond(JsonResponse(json.EndArray().EndObject().Take()));
  return {};
}

CancelRequest Live(ApiContext&, const HttpRequest&, const Segments&, Respond respond) {
  respond(JsonResponse(R"({"live":true})"));
  return {};
}

CancelRequest Ready(ApiContext& api, const HttpRequest&, const Segments&, Respond respond) {
  const ServiceStatus status = api.service.Status();
  if (!std::ranges::any_of(status.models, &ModelStatus::ready)) {
    return Refuse({.kind = FaultKind::kUnavailable, .message = "no model can answer yet"}, respond);
  }
  respond(JsonResponse(R"({"ready":true})"));
  return {};
}

CancelRequest ModelReady(ApiContext& api, const HttpRequest&, const Segments& segments,
                         Respond respond) {
  ModelState state;
  if (auto fault = FindState(api.service, segments[0], VersionOf(segments), &state)) {
    return Refuse(*fault, respond);
  }
  if (!state.ready) {
    return Refuse({.kind = FaultKind::kUnavailable,
                   .message = state.reason.empty() ? "is not ready" : state.reason,
                   .field = segments[0]},
                  respond);
  }
  base::JsonWriter json;
  json.BeginObject().Key("name").String(segments[0]).Key("ready").Bool(true);
  respond(JsonResponse(json.EndObject().Take()));
  return {};
}

void WriteTensors(std::string_view key, const std::vector<TensorInfo>& tensors,
                  base::JsonWriter* json) {
  json->Key(key).BeginArray();
  for (const TensorInfo& tensor : tensors) {
    json->BeginObject().Key("name").String(tensor.name);
    json->Key("datatype").String(NameOf(tensor.type)).Key("shape").BeginArray();
    for (const std::int64_t size : tensor.shape) json->Int(size);
    json->EndArray().EndObject();
  }
  json->EndArray();
}

CancelRequest Metadata(ApiContext& api, const HttpRequest&, const Segments& segments,
                       Respond respond) {
  std::shared_ptr<const Endpoint> endpoint;
  if (auto fault = FindVersioned(api.service, segments[0], VersionOf(segments), &endpoint)) {
    return Refuse(*fault, respond);
  }
  base::JsonWriter json;
  json.BeginObject().Key("name").String(endpoint->name);
  json.Key("versions").BeginArray().String(kModelVersion).EndArray();
  json.Key("platform").String(base::StrCat("hone_", endpoint->architecture));
  WriteTensors("inputs", InputsOf(*endpoint), &json);
  WriteTensors("outputs", OutputsOf(*endpoint), &json);
  respond(JsonResponse(json.EndObject().Take()));
  return {};
}

MaybeFault Prepare(const ApiContext& api, const HttpRequest& http, const Segments& segments,
                   KserveHttpRequest* request, Query* query) {
  const ServiceOptions& options = api.service.options();
  HONE_RETURN_IF_FAULT(
      FindVersioned(api.service, segments[0], VersionOf(segments), &query->endpoint));
  HONE_RETURN_IF_FAULT(
      ReadKserve(http.body, http.Header("inference-header-content-length"), options, request));
  HONE_RETURN_IF_FAULT(CheckOutputs(request->infer, *query->endpoint));
  HONE_RETURN_IF_FAULT(FillQuery(request->infer, options, query));
  // The headers win over the parameters: a proxy may tighten what a client asked.
  const Terms asked = query->terms;
  HONE_RETURN_IF_FAULT(ReadTerms(http, options, &query->terms));
  if (!http.Header("x-hone-deadline-ms")) query->terms.deadline_ns = asked.deadline_ns;
  if (!http.Header("x-hone-priority")) query->terms.priority = asked.priority;
  return {};
}

CancelRequest Infer(ApiContext& api, const HttpRequest& http, const Segments& segments,
                    Respond respond) {
  auto request = std::make_shared<KserveHttpRequest>();
  Query query{.arrival = http.arrival};
  if (auto fault = Prepare(api, http, segments, request.get(), &query)) {
    return Refuse(*fault, respond);
  }
  request->infer.inputs.clear();
  auto write = [request, endpoint = query.endpoint](const Reply& reply) {
    KserveHttpAnswer answer = WriteKserve(*request, *endpoint, reply);
    HttpResponse response = JsonResponse(std::move(answer.body));
    if (answer.binary) {
      response.content_type = "application/octet-stream";
      response.headers.emplace_back("Inference-Header-Content-Length",
                                    base::StrCat(answer.json_bytes));
    }
    return response;
  };
  return Exchange(api, kProtocol, std::move(query), std::move(write), std::move(respond));
}

CancelRequest Index(ApiContext& api, const HttpRequest& http, const Segments&, Respond respond) {
  bool ready_only = false;
  if (!http.body.empty()) {
    std::optional<base::Json> json;
    MaybeFault fault = ParseBody(http.body, &json);
    if (!fault) fault = ReadBool(json->root(), "ready", &ready_only);
    if (fault) return Refuse(*fault, respond);
  }
  base::JsonWriter json;
  json.BeginArray();
  for (const ModelStatus& model : api.service.Status().models) {
    if (ready_only && !model.ready) continue;
    json.BeginObject().Key("name").String(model.endpoint->name);
    json.Key("version").String(kModelVersion);
    json.Key("state").String(model.ready ? "READY" : "UNAVAILABLE");
    json.Key("reason").String(model.error).EndObject();
  }
  respond(JsonResponse(json.EndArray().Take()));
  return {};
}

// Load and Unload take as long as they take; the front's thread must not wait.
CancelRequest Change(base::Status (Service::*change)(const std::string&), ApiContext& api,
                     const std::string& name, const Respond& respond) {
  const bool taken = api.aside.Run([service = &api.service, change, name, respond] {
    const base::Status status = (service->*change)(name);
    if (status.ok()) {
      respond(JsonResponse("{}"));
      return;
    }
    respond(FaultResponse(kProtocol, FaultOf(status)));
  });
  if (taken) return {};
  return Refuse({.kind = FaultKind::kUnavailable,
                 .message = "too many models are waiting to be loaded or unloaded",
                 .retry_after_s = 1},
                respond);
}

CancelRequest Load(ApiContext& api, const HttpRequest&, const Segments& segments, Respond respond) {
  return Change(&Service::Load, api, segments[0], respond);
}

CancelRequest Unload(ApiContext& api, const HttpRequest&, const Segments& segments,
                     Respond respond) {
  return Change(&Service::Unload, api, segments[0], respond);
}

}  // namespace

std::vector<Route> KserveRoutes() {
  constexpr std::string_view kTag = "KServe v2";
  return {
      {"GET", "/v2", kTag, "Name, version and extensions of the server", "", kServerAnswer, Server},
      {"GET", "/v2/health/live", kTag, "The process lives", "", kObjectAnswer, Live},
      {"GET", "/v2/health/ready", kTag, "Some model can answer", "", kObjectAnswer, Ready},
      {"GET", "/v2/models/{model}", kTag, "Inputs and outputs of a model", "", kMetadataAnswer,
       Metadata},
      {"GET", "/v2/models/{model}/versions/{version}", kTag, "The same of a version", "",
       kMetadataAnswer, Metadata},
      {"GET", "/v2/models/{model}/ready", kTag, "The model can answer", "", kObjectAnswer,
       ModelReady},
      {"GET", "/v2/models/{model}/versions/{version}/ready", kTag, "The same of a version", "",
       kObjectAnswer, ModelReady},
      {"POST",
       "/v2/models/{model}/infer",
       kTag,
       "Tensors in, tensors out",
       kInferSchema,
       kInferAnswer,
       Infer,
       {.tensors = true}},
      {"POST",
       "/v2/models/{model}/versions/{version}/infer",
       kTag,
       "The same of a version",
       kInferSchema,
       kInferAnswer,
       Infer,
       {.tensors = true}},
      {"POST",
       "/v2/repository/index",
       kTag,
       "All models and their states",
       kIndexSchema,
       kIndexAnswer,
       Index,
       {.body_optional = true}},
      {"POST", "/v2/repository/models/{model}/load", kTag, "Loads a model, or loads it anew", "",
       kObjectAnswer, Load},
      {"POST", "/v2/repository/models/{model}/unload", kTag, "Frees a model's memory", "",
       kObjectAnswer, Unload},
  };
}

}  // namespace hone::server
