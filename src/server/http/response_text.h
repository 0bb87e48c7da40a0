// How a response begins on the wire, and what the front itself answers.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "server/http/message.h"

namespace hone::server {

// "Not Found"; "" for a status that has no name here.
std::string_view ReasonOf(int status);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7); of the years 1 to 9999.
std::string HttpDate(std::int64_t unix_seconds);

// Status line and header fields with the empty line that ends them. Control characters in a field become
// spaces, so that nothing a client said can end it.
std::string ResponseHead(const HttpResponse& response, bool keep_alive);

// {"error":{"code":413,"message":"…","type":"…"}}
HttpResponse ErrorResponse(int status, std::string_view message);
// A handler's exception: memory, in all likelihood.
HttpResponse FailedResponse(const std::exception& error);
// Complete, or FailedResponse instead.
void CompleteOrFail(HttpResponse* response);

// Whether a response of this status has a body at all (RFC 9110 §6.4.1).
bool MayHaveBody(int status);

}  // namespace hone::server
