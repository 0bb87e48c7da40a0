// How each protocol says that something went wrong: its error shape, its status.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/strings.h"
#include "server/http/message.h"
#include "server/query.h"

namespace hone::server {

enum class Protocol : std::uint8_t { kOpenAi, kTei, kKserve, kHone };

// Empty: all is well.
using MaybeFault = std::optional<Fault>;

template <typename... Args>
Fault BadRequest(std::string_view field, const Args&... message) {
  return {.kind = FaultKind::kBadRequest,
          .message = base::StrCat(message...),
          .field = std::string(field)};
}
template <typename... Args>
Fault Empty(std::string_view field, const Args&... message) {
  return {
      .kind = FaultKind::kEmpty, .message = base::StrCat(message...), .field = std::string(field)};
}
template <typename... Args>
Fault TooLarge(std::string_view field, const Args&... message) {
  return {.kind = FaultKind::kTooLarge,
          .message = base::StrCat(message...),
          .field = std::string(field)};
}
template <typename... Args>
Fault NotSupported(std::string_view field, const Args&... message) {
  return {.kind = FaultKind::kUnsupported,
          .message = base::StrCat(message...),
          .field = std::string(field)};
}
template <typename... Args>
Fault NoSuch(std::string_view field, const Args&... message) {
  return {.kind = FaultKind::kNotFound,
          .message = base::StrCat(message...),
          .field = std::string(field)};
}

// The message, with the field before it where it does not begin with it.
std::string Say(const Fault& fault);

// Of what the service was asked to do and could not.
Fault FaultOf(const base::Status& status);

// "bad_request", "refused" …: the reason as Hone's answers, metrics and logs call it.
std::string_view NameOf(FaultKind kind);

// The status of a kind. OpenAI says 400 of a text over the limit and of an unsupported use; TEI 413
// and 424, 424 of a failed inference too, and 422 of JSON of the wrong shape; the others as FaultKind
// says.
int StatusOf(Protocol protocol, FaultKind kind);

// The whole answer: status, body in the protocol's shape, Retry-After (whole seconds, at least 1)
// and, where it is known finer, X-Hone-Retry-Ms with 429 and 503. `status` 0: StatusOf's.
HttpResponse FaultResponse(Protocol protocol, const Fault& fault, int status = 0);

}  // namespace hone::server

#define HONE_RETURN_IF_FAULT(expression)                                                     \
  do {                                                                                       \
    if (::hone::server::MaybeFault hone_fault = (expression); hone_fault) return hone_fault; \
  } while (false)
