#include "server/api/exchange.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "base/strings.h"
#include "env/clock.h"
#include "server/api/aside.h"
#include "server/http/response_text.h"

namespace hone::server {

std::optional<scheduler::Priority> ParsePriority(std::string_view text) {
  if (text == "low" || text == "0") return scheduler::Priority::kLow;
  if (text == "normal" || text == "1") return scheduler::Priority::kNormal;
  if (text == "high" || text == "2") return scheduler::Priority::kHigh;
  return std::nullopt;
}

MaybeFault ReadTerms(const HttpRequest& request, const ServiceOptions& options, Terms* terms) {
  terms->tenant = request.tenant;
  if (const auto text = request.Header("x-hone-deadline-ms")) {
    constexpr std::string_view kField = "X-Hone-Deadline-Ms";
    double ms = 0;
    const auto read = std::from_chars(text->data(), text->data() + text->size(), ms);
    if (read.ec != std::errc() || read.ptr != text->data() + text->size() || !std::isfinite(ms)) {
      return BadRequest(kField, "expected milliseconds, found \"", text->substr(0, 40), "\"");
    }
    // A nanosecond is the least that the scheduler can tell from nothing.
    if (ms < 1e-6 || ms > options.max_deadline_ms) {
      return BadRequest(kField, ms, " ms is not above 0 and at most ", options.max_deadline_ms);
    }
    terms->deadline_ns = static_cast<base::TimeNs>(ms * 1e6);
  }
  if (const auto text = request.Header("x-hone-priority")) {
    const auto priority = ParsePriority(*text);
    if (!priority) {
      return BadRequest("X-Hone-Priority", "expected low, normal, high or 0 to 2, found \"",
                        text->substr(0, 40), "\"");
    }
    terms->priority = *priority;
  }
  return {};
}

std::string_view SayTask(model::Task task) {
  switch (task) {
    case model::Task::kEmbedding: return "an embedding model";
    case model::Task::kSequenceClassification: return "a text classifier";
    case model::Task::kTokenClassification: return "a token classifier";
    case model::Task::kQuestionAnswering: return "a question answering model";
    case model::Task::kFillMask: return "a model that fills masks";
    case model::Task::kJoint: return "a model of intents and slots";
  }
  return "a model";
}

std::string_view NameOf(model::Task task) {
  switch (task) {
    case model::Task::kEmbedding: return "embedding";
    case model::Task::kSequenceClassification: return "sequence_classification";
    case model::Task::kTokenClassification: return "token_classification";
    case model::Task::kQuestionAnswering: return "question_answering";
    case model::Task::kFillMask: return "fill_mask";
    case model::Task::kJoint: return "joint";
  }
  return "";
}

Fault NoModel(const Service& service, const std::string& name) {
  if (const std::optional<std::string> why = service.WhyAbsent(name)) {
    return {.kind = FaultKind::kUnavailable,
            .message = name.empty() ? base::StrCat("the model is not there: ", *why)
                                    : base::StrCat("the model \"", name, "\" is not there: ", *why),
            .field = "model",
            .retry_after_s = 1};
  }
  return NoSuch("model", "there is no model \"", name.substr(0, 100), "\" here");
}

MaybeFault AlsoNamed(std::string_view where, std::optional<std::string_view> also,
                     std::string* name) {
  if (!also) return {};
  if (also->empty()) return BadRequest(where, "is empty; it names a model, or is left out");
  if (name->empty()) *name = *also;
  if (*name == *also) return {};
  return BadRequest(where, "names the model \"", also->substr(0, 100),
                    "\", and elsewhere the request names \"", name->substr(0, 100), "\"");
}

MaybeFault ChooseEndpoint(const ApiContext& api, const HttpRequest& request,
                          const std::string& named, const Use& use,
                          std::shared_ptr<const Endpoint>* endpoint) {
  const auto fits = [&](const Endpoint& candidate) {
    return use.fits == nullptr || use.fits(candidate);
  };
  std::string name = named;
  HONE_RETURN_IF_FAULT(AlsoNamed("X-Hone-Model", request.Header("x-hone-model"), &name));
  for (const auto& [key, value] : request.query) {
    if (key == "model") HONE_RETURN_IF_FAULT(AlsoNamed("model", value, &name));
  }
  if (!name.empty()) {
    *endpoint = api.service.Find(name);
    if (*endpoint == nullptr) return NoModel(api.service, name);
  } else if (*endpoint = api.service.Only(); *endpoint == nullptr) {
    for (const auto& candidate : api.service.Endpoints()) {
      if (!fits(*candidate)) continue;
      *endpoint = candidate;
      return {};
    }
    if (api.service.WhyAbsent("")) return NoModel(api.service, "");
    return NotSupported("model", "not supported: no model here is for ", use.name);
  }
  if (!fits(**endpoint)) {
    return NotSupported("model", "not supported by this model: \"", (*endpoint)->name, "\" is ",
                        SayTask((*endpoint)->task), " and not for ", use.name);
  }
  return {};
}

HttpResponse JsonResponse(std::string body, int status) {
  return {.status = status, .body = std::move(body)};
}

void AddServed(const Endpoint& endpoint, const Served& served, HttpResponse* response) {
  response->headers.emplace_back("X-Hone-Model", endpoint.name);
  response->headers.emplace_back("X-Hone-Rung", served.rung);
  response->headers.emplace_back("X-Hone-Queue-Ms", base::Fixed(served.queue_ms, 3));
  response->headers.emplace_back("X-Hone-Compute-Ms", base::Fixed(served.compute_ms, 3));
}

namespace {

// Numbers in an answer that the front writes between two requests: some milliseconds at most.
constexpr std::size_t kMostNumbers = std::size_t{1} << 17;

std::size_t NumbersIn(const Reply& reply) {
  std::size_t sum = 0;
  for (const TextResult& result : reply.results) {
    for (const Rows& rows : result.outputs) sum += rows.values.size();
  }
  return sum;
}

}  // namespace

CancelRequest Exchange(ApiContext& api, Protocol protocol, Query query,
                       std::function<HttpResponse(const Reply&)> write, Respond respond) {
  auto endpoint = query.endpoint;
  const Ticket ticket = api.service.Submit(
      std::move(query),
      [protocol, endpoint = std::move(endpoint), write = std::move(write),
       respond = std::move(respond), service = &api.service, writer = &api.writer](Reply reply) {
        if (reply.fault) {
          respond(FaultResponse(protocol, *reply.fault));
          return;
        }
        const bool large = NumbersIn(reply) > kMostNumbers;
        HttpResponse response{.at_once = reply.at_once};
        response.finish = [endpoint, write, service, large,
                           reply = std::move(reply)](HttpResponse& unfinished) {
          HttpResponse written = write(reply);
          AddServed(*endpoint, reply.served, &written);
          // What others have put on the response stays.
          std::ranges::move(unfinished.headers, std::back_inserter(written.headers));
          unfinished = std::move(written);
          // What a large answer takes says nothing of the front.
          if (!large) service->Sent(env::NowNs() - reply.served.ended);
        };
        if (!large) return respond(std::move(response));
        const auto held = std::make_shared<HttpResponse>(std::move(response));
        const auto write_aside = [held, respond] {
          CompleteOrFail(held.get());
          respond(std::move(*held));
        };
        if (!writer->Run(write_aside)) respond(std::move(*held));
      });
  return [service = &api.service, ticket] { service->Cancel(ticket); };
}

}  // namespace hone::server
