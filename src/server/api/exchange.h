// What every handler does between reading its JSON and writing it: terms, the model, the query, the
// headers of the answer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "model/head.h"
#include "server/api/fault.h"
#include "server/api/routes.h"

namespace hone::server {

// X-Hone-Deadline-Ms (above 0, at most the configuration's longest) and X-Hone-Priority (low,
// normal, high, or 0 to 2).
MaybeFault ReadTerms(const HttpRequest& request, const ServiceOptions& options, Terms* terms);
// "low" "normal" "high" "0" "1" "2".
std::optional<scheduler::Priority> ParsePriority(std::string_view text);

// What a route can do with a model.
struct Use {
  std::string_view name;          // "embeddings"
  bool (*fits)(const Endpoint&);  // null: any model
};

// 404 of a name that nobody configured; 503 with the reason of one that cannot be asked now.
Fault NoModel(const Service& service, const std::string& name);

// A name that another part of the request gives, `where`: it goes with what is there, or begins it.
MaybeFault AlsoNamed(std::string_view where, std::optional<std::string_view> also,
                     std::string* name);

// The model by name: `named` (of the body or the path), the header X-Hone-Model, or ?model=, which must not
// differ. Without a name: the only model, or the first that fits. A fault where there is none, or it does not fit.
MaybeFault ChooseEndpoint(const ApiContext& api, const HttpRequest& request,
                          const std::string& named, const Use& use,
                          std::shared_ptr<const Endpoint>* endpoint);

template <model::Task... tasks>
bool IsOneOf(const Endpoint& endpoint) {
  return ((endpoint.task == tasks) || ...);
}

// "an embedding model"
std::string_view SayTask(model::Task task);
// "embedding", "sequence_classification" …
std::string_view NameOf(model::Task task);

HttpResponse JsonResponse(std::string body, int status = 200);
// X-Hone-Rung, X-Hone-Queue-Ms, X-Hone-Compute-Ms, X-Hone-Model.
void AddServed(const Endpoint& endpoint, const Served& served, HttpResponse* response);

// Submits, and answers with what `write` makes of a reply without fault, on any thread: the front's, the
// executor's where nothing else waits for it, or aside where the answer is so large that others would wait.
CancelRequest Exchange(ApiContext& api, Protocol protocol, Query query,
                       std::function<HttpResponse(const Reply&)> write, Respond respond);

}  // namespace hone::server
