// The target of a request line: path and query.
//
// Source  RFC 9112 §3.2 (origin-form, absolute-form, "*"), RFC 3986 §2.1; "+" in a query is a space, as
//         browsers' forms have it (WHATWG URL, application/x-www-form-urlencoded).
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "server/http/message.h"

namespace hone::server {

// Sets request->path and request->query, percent-decoded. An error says what is wrong with the target;
// what was decoded is valid UTF-8 without zero bytes.
base::Status ParseTarget(std::string_view target, HttpRequest* request);

}  // namespace hone::server
