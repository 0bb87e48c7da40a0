// Every route of the HTTP API in one list: what answers it, and what /openapi.json and the page say
// of it.
//
// A protocol is one file: it reads its JSON, tokenizes, submits a Query, and writes its JSON.
// Reading and writing are pure functions with tests of their own; only the handlers touch the
// service.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/message.h"
#include "server/service.h"

namespace hone::server {

class Aside;  // aside.h

// What handlers may use. What it refers to outlives every request, those that are cut off included: stop the
// Aside after the front and before the service.
struct ApiContext {
  Service& service;
  std::function<std::string()> front_metrics;  // Prometheus lines of the HTTP front; may be empty
  Aside& aside;                                // for what takes long: loading a model
  Aside& writer;                               // for answers that take long to write
  bool wants_keys = false;                     // requests need an API key
};

struct Route {
  std::string_view method;  // "GET", "POST"
  std::string_view path;    // "/v2/models/{model}/infer"; {name} matches one segment
  std::string_view
      tag;  // "OpenAI", "Text Embeddings Inference", "KServe v2", "Hone", "Hugging Face", …
  std::string_view summary;
  // JSON Schema of the body and of the 200 answer, as JSON text; empty: none.
  std::string_view request_schema, response_schema;
  // `segments`: what the path's {names} matched, in order.
  CancelRequest (*handle)(ApiContext& api, const HttpRequest& request,
                          const std::vector<std::string>& segments, Respond respond);
  // What few routes have.
  struct Rest {
    std::string_view media = "application/json";  // of the 200 answer
    std::string_view unready_schema = {};         // of a 503 that is an answer, and no fault
    bool tensors = false;         // bodies are JSON, or JSON with raw tensors behind it
    bool body_optional = false;   // where there is a request_schema
    bool may_name_model = false;  // though it has no body: by X-Hone-Model or ?model=
  } rest = {};
};

// One list a protocol (openai.cc, tei.cc, kserve_rest.cc, hone_api.cc, pipeline.cc, operation.cc).
std::vector<Route> OpenAiRoutes();
std::vector<Route> TeiRoutes();
std::vector<Route> KserveRoutes();
std::vector<Route> HoneRoutes();
std::vector<Route> PipelineRoutes();   // Hugging Face's InferenceClient: POST / and /models/{model}
std::vector<Route> OperationRoutes();  // /health /ready /metrics /openapi.json and the page at /

// All of them. Unknown paths are 404, wrong methods 405 with Allow; a body that is not JSON where
// JSON is wanted 415; faults in the shape of the route's protocol.
HttpHandler MakeApi(ApiContext api);

// What the front refuses by itself (HttpOptions::refusal), in the shape of the path's protocol.
HttpResponse FrontRefusal(std::string_view path, int status, std::string_view message);

}  // namespace hone::server
