#include "server/api/router.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/strings.h"
#include "base/utf8.h"
#include "server/api/aside.h"

namespace hone::server {
namespace {

// The first segment of *path ("a" of "/a/b"); *path keeps "/b".
std::string_view TakeSegment(std::string_view* path) {
  path->remove_prefix(1);
  const std::size_t end = std::min(path->find('/'), path->size());
  const std::string_view segment = path->substr(0, end);
  path->remove_prefix(end);
  return segment;
}

// A page of another site may send simple requests without asking first (Fetch §3.2.2, "CORS"), and a server on
// this machine answers without a key: it must not unload models for whoever the browser happens to visit. Browsers
// say where a request comes from; other programs say nothing.
bool FromOtherSite(const HttpRequest& request) {
  if (const auto site = request.Header("sec-fetch-site")) {
    return *site == "cross-site" || *site == "same-site";
  }
  const auto origin = request.Header("origin");
  if (!origin) return false;
  const std::size_t scheme = origin->find("://");
  return scheme == std::string_view::npos ||
         origin->substr(scheme + 3) != request.Header("host").value_or("");
}

CancelRequest Handle(ApiContext& api, const HttpRequest& request, Respond respond) {
  const RouteMatch match = FindRoute(AllRoutes(), request.method, request.path);
  if (match.route == nullptr) {
    const Protocol protocol = ProtocolOfPath(request.path);
    if (match.allow.empty()) {
      respond(FaultResponse(protocol, NoSuch("", "there is no ", request.path.substr(0, 200),
                                             " here; / lists what there is")));
      return {};
    }
    if (request.method == "OPTIONS") {
      respond({.status = 204, .headers = {{"Allow", match.allow + ", OPTIONS"}}});
      return {};
    }
    HttpResponse response =
        FaultResponse(protocol,
                      BadRequest("", request.path.substr(0, 200), " takes ", match.allow, ", not ",
                                 request.method.substr(0, 20)),
                      405);
    response.headers.emplace_back("Allow", match.allow);
    respond(std::move(response));
    return {};
  }
  const Protocol protocol = ProtocolOf(match.route->tag);
  if (request.method == "POST" && FromOtherSite(request)) {
    respond(FaultResponse(protocol,
                          {.kind = FaultKind::kUnauthorized,
                           .message = "requests of another site's page are not answered"},
                          403));
    return {};
  }
  const std::string_view type = request.Header("content-type").value_or("");
  const bool wants_body = !match.route->request_schema.empty() &&
                          !(match.route->rest.body_optional && request.body.empty());
  if (wants_body && !AcceptsContentType(*match.route, type)) {
    respond(FaultResponse(
        protocol,
        BadRequest("Content-Type", "expected application/json, found ", type.substr(0, 100)), 415));
    return {};
  }
  return match.route->handle(api, request, match.segments, std::move(respond));
}

}  // namespace

const std::vector<Route>& AllRoutes() {
  static const std::vector<Route> routes = [] {
    std::vector<Route> all;
    for (auto list : {OpenAiRoutes(), TeiRoutes(), KserveRoutes(), HoneRoutes(), PipelineRoutes(),
                      OperationRoutes()}) {
      all.insert(all.end(), list.begin(), list.end());
    }
    return all;
  }();
  return routes;
}

bool MatchPath(std::string_view pattern, std::string_view path,
               std::vector<std::string>* segments) {
  segments->clear();
  while (pattern.starts_with('/') && path.starts_with('/')) {
    const std::string_view wanted = TakeSegment(&pattern), found = TakeSegment(&path);
    if (wanted.starts_with('{')) {
      if (found.empty()) return false;
      segments->emplace_back(found);
    } else if (wanted != found) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

RouteMatch FindRoute(std::span<const Route> routes, std::string_view method,
                     std::string_view path) {
  RouteMatch match;
  for (const Route& route : routes) {
    if (!MatchPath(route.path, path, &match.segments)) continue;
    if (route.method == method) {
      match.route = &route;
      return match;
    }
    base::StrAppend(&match.allow, match.allow.empty() ? "" : ", ", route.method);
    if (route.method == "GET") match.allow += ", HEAD";
  }
  return match;
}

Protocol ProtocolOf(std::string_view tag) {
  if (tag == "OpenAI") return Protocol::kOpenAi;
  if (tag == "Text Embeddings Inference" || tag == "Hugging Face") return Protocol::kTei;
  return tag == "KServe v2" ? Protocol::kKserve : Protocol::kHone;
}

Protocol ProtocolOfPath(std::string_view path) {
  std::vector<std::string> segments;
  for (const Route& route : AllRoutes()) {
    if (MatchPath(route.path, path, &segments)) return ProtocolOf(route.tag);
  }
  if (path == "/v2" || path.starts_with("/v2/")) return Protocol::kKserve;
  return path.starts_with("/v1/") && !path.starts_with("/v1/hone/") ? Protocol::kOpenAi
                                                                    : Protocol::kHone;
}

bool AcceptsContentType(const Route& route, std::string_view content_type) {
  std::string type = base::AsciiLower(content_type.substr(0, content_type.find(';')));
  while (type.ends_with(' ')) type.pop_back();
  if (type.empty() || type == "application/json" || type.ends_with("+json")) return true;
  return route.rest.tensors && type == "application/octet-stream";
}

HttpResponse FrontRefusal(std::string_view path, int status, std::string_view message) {
  Fault fault{.kind = FaultKind::kBadRequest, .message = base::ToValidUtf8(message)};
  switch (status) {
    case 401: fault.kind = FaultKind::kUnauthorized; break;
    case 413:
    case 414:
    case 431: fault.kind = FaultKind::kTooLarge; break;
    case 415:
    case 417:
    case 501:
    case 505: fault.kind = FaultKind::kUnsupported; break;
    case 503: fault.kind = FaultKind::kUnavailable; break;
    default: break;
  }
  if (status == 503) fault.retry_after_s = 1;
  HttpResponse response = FaultResponse(ProtocolOfPath(path), fault, status);
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

HttpHandler MakeApi(ApiContext api) {
  auto shared = std::make_shared<ApiContext>(std::move(api));
  return [shared](const HttpRequest& request, Respond respond) {
    return Handle(*shared, request, std::move(respond));
  };
}

}  // namespace hone::server
