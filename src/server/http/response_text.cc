#include "server/http/response_text.h"

#include <algorithm>
#include <ctime>

#include "base/json.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "env/clock.h"

namespace hone::server {
namespace {

struct Reason {
  int status;
  std::string_view name, type;
};

// RFC 9110 §15, and nginx's 499. Types as OpenAI's and llama.cpp's servers call them.
constexpr Reason kReasons[] = {
    {200, "OK", ""},
    {201, "Created", ""},
    {202, "Accepted", ""},
    {204, "No Content", ""},
    {304, "Not Modified", ""},
    {400, "Bad Request", "invalid_request_error"},
    {401, "Unauthorized", "authentication_error"},
    {403, "Forbidden", "permission_error"},
    {404, "Not Found", "not_found_error"},
    {405, "Method Not Allowed", "invalid_request_error"},
    {408, "Request Timeout", "timeout_error"},
    {409, "Conflict", "invalid_request_error"},
    {413, "Content Too Large", "invalid_request_error"},
    {414, "URI Too Long", "invalid_request_error"},
    {415, "Unsupported Media Type", "invalid_request_error"},
    {417, "Expectation Failed", "invalid_request_error"},
    {422, "Unprocessable Content", "invalid_request_error"},
    {429, "Too Many Requests", "overloaded_error"},
    {431, "Request Header Fields Too Large", "invalid_request_error"},
    {499, "Client Closed Request", "cancelled_error"},
    {500, "Internal Server Error", "server_error"},
    {501, "Not Implemented", "not_supported_error"},
    {503, "Service Unavailable", "unavailable_error"},
    {504, "Gateway Timeout", "timeout_error"},
    {505, "HTTP Version Not Supported", "invalid_request_error"},
};

const Reason* Find(int status) {
  const auto* found = std::ranges::find(kReasons, status, &Reason::status);
  return found == std::end(kReasons) ? nullptr : found;
}

// Made once a second.
std::string_view DateNow() {
  thread_local std::int64_t said = -1;
  thread_local std::string text;
  const std::int64_t now = env::UnixSeconds();
  if (now != said) text = HttpDate(now);
  said = now;
  return text;
}

void AppendField(std::string* out, std::string_view name, std::string_view value) {
  const std::size_t begin = out->size();
  base::StrAppend(out, name, ": ", value);
  for (std::size_t i = begin; i < out->size(); ++i) {
    const auto byte = static_cast<unsigned char>((*out)[i]);
    if (byte < 0x20 || byte == 0x7f) (*out)[i] = ' ';
  }
  *out += "\r\n";
}

}  // namespace

std::string_view ReasonOf(int status) {
  const Reason* reason = Find(status);
  return reason == nullptr ? "" : reason->name;
}

std::string HttpDate(std::int64_t unix_seconds) {
  constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t time = unix_seconds;
  std::tm utc = {};
  gmtime_r(&time, &utc);
  const auto two = [](int number) { return base::StrCat(number < 10 ? "0" : "", number); };
  return base::StrCat(kDays[utc.tm_wday], ", ", two(utc.tm_mday), " ", kMonths[utc.tm_mon], " ",
                      1900 + utc.tm_year, " ", two(utc.tm_hour), ":", two(utc.tm_min), ":",
                      two(utc.tm_sec), " GMT");
}

bool MayHaveBody(int status) {
  return status >= 200 && status != 204 && status != 304;
}

std::string ResponseHead(const HttpResponse& response, bool keep_alive) {
  std::string out;
  out.reserve(256);
  base::StrAppend(&out, "HTTP/1.1 ", response.status, " ", ReasonOf(response.status), "\r\n");
  AppendField(&out, "Date", DateNow());
  if (MayHaveBody(response.status)) {
    if (!response.content_type.empty()) AppendField(&out, "Content-Type", response.content_type);
    base::StrAppend(&out, "Content-Length: ", response.body.size(), "\r\n");
  }
  for (const auto& [name, value] : response.headers) AppendField(&out, name, value);
  out += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return out;
}

HttpResponse ErrorResponse(int status, std::string_view message) {
  const Reason* reason = Find(status);
  base::JsonWriter json;
  json.BeginObject().Key("error").BeginObject().Key("code").Int(status);
  json.Key("message").String(base::ToValidUtf8(message));
  json.Key("type").String(reason == nullptr ? "server_error" : reason->type);
  HttpResponse response{.status = status, .body = json.EndObject().EndObject().Take()};
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

HttpResponse FailedResponse(const std::exception& error) {
  return ErrorResponse(500, base::StrCat("the request failed: ", error.what()));
}

void CompleteOrFail(HttpResponse* response) {
  try {
    Complete(response);
  } catch (const std::exception& error) {
    *response = FailedResponse(error);
  }
}

}  // namespace hone::server
