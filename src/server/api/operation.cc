// For whoever runs the server: health, readiness, metrics, the API's description, and the page.
#include <algorithm>
#include <utility>

#include "base/json.h"
#include "server/api/aside.h"
#include "server/api/exchange.h"
#include "server/api/metrics.h"
#include "server/api/openapi.h"
#include "server/api/router.h"
#include "server/page/embedded.h"

namespace hone::server {
namespace {

using Segments = std::vector<std::string>;

constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kPageType = "text/html; charset=utf-8";

CancelRequest Health(ApiContext&, const HttpRequest&, const Segments&, Respond respond) {
  respond(JsonResponse(R"({"status":"ok"})"));
  return {};
}

CancelRequest Ready(ApiContext& api, const HttpRequest&, const Segments&, Respond respond) {
  const ServiceStatus status = api.service.Status();
  const bool ready = std::ranges::any_of(status.models, &ModelStatus::ready);
  base::JsonWriter json;
  json.BeginObject().Key("ready").Bool(ready).Key("models").BeginArray();
  for (const ModelStatus& model : status.models) {
    json.BeginObject().Key("name").String(model.endpoint->name).Key("ready").Bool(model.ready);
    if (!model.error.empty()) json.Key("error").String(model.error);
    json.EndObject();
  }
  HttpResponse response = JsonResponse(json.EndArray().EndObject().Take(), ready ? 200 : 503);
  if (!ready) {
    response.headers.emplace_back("Retry-After", "1");
    response.headers.emplace_back("X-Hone-Fault", NameOf(FaultKind::kUnavailable));
  }
  respond(std::move(response));
  return {};
}

CancelRequest Metrics(ApiContext& api, const HttpRequest&, const Segments&, Respond respond) {
  std::string text = WriteMetrics(api.service.Status());
  if (api.front_metrics) text += api.front_metrics();
  respond({.content_type = std::string(kMetricsType), .body = std::move(text)});
  return {};
}

CancelRequest OpenApi(ApiContext& api, const HttpRequest&, const Segments&, Respond respond) {
  std::vector<std::string> models;
  for (const ModelOptions& model : api.service.options().models) models.push_back(model.name);
  const auto answer = [models = std::move(models), keys = api.wants_keys, respond] {
    respond(JsonResponse(WriteOpenApi(AllRoutes(), models, keys)));
  };
  // It takes milliseconds, for which no other request is to wait.
  if (!api.writer.Run(answer)) answer();
  return {};
}

// One file: nothing is fetched from elsewhere, and the policy forbids it.
CancelRequest Page(ApiContext&, const HttpRequest&, const Segments&, Respond respond) {
  HttpResponse response{.content_type = std::string(kPageType), .body = std::string(PageHtml())};
  const auto put = [&](std::string_view mark, std::string_view text) {
    const std::size_t at = response.body.find(mark);
    if (at != std::string::npos) response.body.replace(at, mark.size(), text);
  };
  put("/*STYLE*/", PageStyle());
  put("/*SCRIPT*/", PageScript());
  response.headers.emplace_back(
      "Content-Security-Policy",
      "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  respond(std::move(response));
  return {};
}

constexpr std::string_view kReadyAnswer = R"({"type":"object","required":["ready","models"],
"properties":{"ready":{"type":"boolean"},"models":{"type":"array","items":{"type":"object",
"required":["name","ready"],"properties":{"name":{"type":"string"},"ready":{"type":"boolean"},
"error":{"type":"string"}}}}}})";

}  // namespace

std::vector<Route> OperationRoutes() {
  constexpr std::string_view kTag = "Operation";
  return {
      {"GET", "/health", kTag, "The process lives", "",
       R"({"type":"object","properties":{"status":{"type":"string"}}})", Health},
      {"GET",
       "/ready",
       kTag,
       "Some model can answer (otherwise 503)",
       "",
       kReadyAnswer,
       Ready,
       {.unready_schema = kReadyAnswer}},
      {"GET",
       "/metrics",
       kTag,
       "Counters and histograms, as Prometheus reads them",
       "",
       "",
       Metrics,
       {.media = kMetricsType}},
      {"GET", "/openapi.json", kTag, "This description", "", R"({"type":"object"})", OpenApi},
      {"GET",
       "/",
       kTag,
       "The page that shows the API and tries each model",
       "",
       "",
       Page,
       {.media = kPageType}},
  };
}

}  // namespace hone::server
