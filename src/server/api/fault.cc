#include "server/api/fault.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"

namespace hone::server {
namespace {

using base::JsonWriter;

// OpenAI's words, which its clients turn into exceptions.
std::string_view OpenAiType(int status) {
  if (status == 401 || status == 403) return "authentication_error";
  if (status == 404) return "not_found_error";
  if (status == 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

std::string_view OpenAiCode(const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::kUnauthorized: return "invalid_api_key";
    case FaultKind::kNotFound: return fault.field == "model" ? "model_not_found" : "not_found";
    case FaultKind::kTooLong: return "context_length_exceeded";
    case FaultKind::kRefused: return "deadline_cannot_be_met";
    default: return NameOf(fault.kind);
  }
}

// error_type of text-embeddings-inference (router/src/lib.rs, ErrorType).
std::string_view TeiType(FaultKind kind) {
  switch (kind) {
    case FaultKind::kRefused: return "Overloaded";
    case FaultKind::kUnavailable: return "Unhealthy";
    case FaultKind::kEmpty: return "Empty";
    case FaultKind::kUnsupported:
    case FaultKind::kMissed:
    case FaultKind::kCancelled:
    case FaultKind::kInternal: return "Backend";
    default: return "Validation";
  }
}

std::string Body(Protocol protocol, const Fault& fault, int status) {
  JsonWriter json;
  json.BeginObject();
  switch (protocol) {
    case Protocol::kOpenAi:
    case Protocol::kHone:
      json.Key("error").BeginObject();
      json.Key("message").String(Say(fault));
      json.Key("type").String(OpenAiType(status));
      json.Key("param");
      if (fault.field.empty()) {
        json.Null();
      } else {
        json.String(fault.field);
      }
      json.Key("code").String(OpenAiCode(fault)).EndObject();
      break;
    case Protocol::kTei:
      json.Key("error").String(Say(fault)).Key("error_type").String(TeiType(fault.kind));
      break;
    case Protocol::kKserve: json.Key("error").String(Say(fault)); break;
  }
  return json.EndObject().Take();
}

}  // namespace

std::string Say(const Fault& fault) {
  const std::string_view message = fault.message;
  const std::string_view rest = message.substr(std::min(fault.field.size(), message.size()));
  // "text" is not named by "texts …".
  const bool ends =
      rest.empty() || std::string_view(" :[.,").find(rest[0]) != std::string_view::npos;
  if (fault.field.empty() || (message.starts_with(fault.field) && ends)) return fault.message;
  return base::StrCat(fault.field, ": ", fault.message);
}

Fault FaultOf(const base::Status& status) {
  Fault fault{.kind = FaultKind::kBadRequest, .message = status.message()};
  if (status.code() == base::StatusCode::kNotFound) fault.kind = FaultKind::kNotFound;
  // It is shutting down, or has no room: another server, or later.
  if (status.code() == base::StatusCode::kUnavailable ||
      status.code() == base::StatusCode::kOutOfResource) {
    fault.kind = FaultKind::kUnavailable;
    fault.retry_after_s = 1;
  }
  return fault;
}

std::string_view NameOf(FaultKind kind) {
  switch (kind) {
    case FaultKind::kBadRequest: return "bad_request";
    case FaultKind::kUnauthorized: return "unauthorized";
    case FaultKind::kNotFound: return "not_found";
    case FaultKind::kEmpty: return "empty";
    case FaultKind::kTooLarge: return "too_large";
    case FaultKind::kTooLong: return "too_long";
    case FaultKind::kUnsupported: return "unsupported";
    case FaultKind::kRefused: return "refused";
    case FaultKind::kUnavailable: return "unavailable";
    case FaultKind::kMissed: return "missed";
    case FaultKind::kCancelled: return "cancelled";
    case FaultKind::kInternal: return "internal";
  }
  return "internal";
}

int StatusOf(Protocol protocol, FaultKind kind) {
  const bool tei = protocol == Protocol::kTei;
  switch (kind) {
    case FaultKind::kBadRequest: return tei ? 422 : 400;
    case FaultKind::kUnauthorized: return 401;
    case FaultKind::kNotFound: return 404;
    case FaultKind::kEmpty: return 400;
    case FaultKind::kTooLarge:
    case FaultKind::kTooLong: return protocol == Protocol::kOpenAi ? 400 : 413;
    case FaultKind::kUnsupported: return tei ? 424 : 400;
    case FaultKind::kRefused: return 429;
    case FaultKind::kUnavailable: return 503;
    case FaultKind::kMissed: return 504;
    case FaultKind::kCancelled: return 499;
    case FaultKind::kInternal: return tei ? 424 : 500;
  }
  return 500;
}

HttpResponse FaultResponse(Protocol protocol, const Fault& fault, int status) {
  if (status == 0) status = StatusOf(protocol, fault.kind);
  HttpResponse response{.status = status, .body = Body(protocol, fault, status)};
  response.headers.emplace_back("X-Hone-Fault", NameOf(fault.kind));
  if (status == 429 || status == 503) {
    const double seconds = std::clamp(fault.retry_after_s, 0.0, 3600.0);
    response.headers.emplace_back(
        "Retry-After",
        base::StrCat(std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(seconds)))));
    if (seconds > 0) {
      response.headers.emplace_back("X-Hone-Retry-Ms", base::Fixed(seconds * 1e3, 3));
    }
  }
  return response;
}

}  // namespace hone::server
