// An HTTP exchange as the protocols see it: no sockets, no library's types.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time_ns.h"

namespace hone::server {

struct HttpRequest {
  std::string method;                                             // "GET", "POST"
  std::string path;                                               // decoded, without the query
  std::vector<std::pair<std::string, std::string>> query = {};    // decoded
  std::vector<std::pair<std::string, std::string>> headers = {};  // names in lower case
  std::string body = {};
  std::string tenant = {};   // the name of its API key
  base::TimeNs arrival = 0;  // env::NowNs() when its last byte was read

  std::optional<std::string_view> Header(std::string_view lower_case_name) const;
};

// Whether a header is read as one value, so that it may be there once only: which of two counts, a proxy on
// the way may see otherwise.
bool OccursOnce(std::string_view lower_case_name);

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  // What is still to be done to it, by whoever sends it, just before: writing an answer is not the business
  // of an executor that has other work. May be empty; call Complete, which calls it once.
  std::function<void(HttpResponse&)> finish = {};
  // Who brings it has nothing else to do: it finishes it, and sends it too where the front's thread is at
  // rest, which costs less than to wake that thread.
  bool at_once = false;
};

void Complete(HttpResponse* response);

// Called exactly once for a request, from any thread.
using Respond = std::function<void(HttpResponse)>;
// Called at most once, when the client is gone: the work may stop; Respond is still called.
using CancelRequest = std::function<void()>;

// An error's response: its status, its message in a shape that suits the path.
using RefusalWriter =
    std::function<HttpResponse(std::string_view path, int status, std::string_view message)>;

// Answers a request, now or later. The result may be empty where there is nothing to cancel.
using HttpHandler = std::function<CancelRequest(HttpRequest, Respond)>;

}  // namespace hone::server
