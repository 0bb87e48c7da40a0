#include "server/dispatch/check_query.h"

#include "base/strings.h"

namespace hone::server {
namespace {

std::optional<Fault> CheckText(const text::Encoding& text, const Endpoint& endpoint,
                               const std::string& field) {
  const auto bad = [&](FaultKind kind, const std::string& message) {
    return Fault{.kind = kind, .message = message, .field = field};
  };
  if (text.ids.empty()) return bad(FaultKind::kBadRequest, "the text has no tokens");
  if (text.ids.size() > static_cast<std::size_t>(endpoint.max_tokens)) {
    return bad(FaultKind::kTooLong,
               base::StrCat("the text has ", text.ids.size(), " tokens; the model \"",
                            endpoint.name, "\" takes at most ", endpoint.max_tokens));
  }
  for (std::size_t i = 0; i < text.ids.size(); ++i) {
    if (text.ids[i] < 0 || text.ids[i] >= endpoint.vocabulary) {
      return bad(FaultKind::kBadRequest,
                 base::StrCat("token id ", text.ids[i], " at position ", i,
                              " is outside the vocabulary of ", endpoint.vocabulary));
    }
  }
  if (!text.types.empty() && text.types.size() != text.ids.size()) {
    return bad(FaultKind::kBadRequest,
               base::StrCat(text.types.size(), " token types for ", text.ids.size(), " tokens"));
  }
  // A model without types reads none: a tokenizer that gives them for pairs does no harm.
  if (endpoint.token_types < 2) return std::nullopt;
  for (const std::int32_t type : text.types) {
    if (type < 0 || type >= endpoint.token_types) {
      return bad(
          FaultKind::kBadRequest,
          base::StrCat("token type ", type, " is outside the model's ", endpoint.token_types));
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<Fault> CheckQuery(const Query& query, const ServiceOptions& options) {
  if (query.endpoint == nullptr) {
    return Fault{.kind = FaultKind::kNotFound, .message = "no model was named", .field = "model"};
  }
  if (query.texts.empty()) {
    return Fault{.kind = FaultKind::kBadRequest, .message = "no texts", .field = "texts"};
  }
  if (query.texts.size() > static_cast<std::size_t>(options.max_texts + query.uncounted)) {
    return Fault{.kind = FaultKind::kTooLarge,
                 .message = base::StrCat(query.texts.size(), " texts; a request may have at most ",
                                         options.max_texts),
                 .field = "texts"};
  }
  if (query.terms.deadline_ns < 0) {
    return Fault{.kind = FaultKind::kBadRequest,
                 .message = "the deadline is in the past",
                 .field = "deadline"};
  }
  for (std::size_t i = 0; i < query.texts.size(); ++i) {
    if (auto fault = CheckText(query.texts[i], *query.endpoint, base::StrCat("texts[", i, "]"))) {
      return fault;
    }
  }
  return std::nullopt;
}

std::optional<Fault> CheckAnswer(std::uint64_t bytes, const ServiceOptions& options) {
  if (bytes <= options.max_answer_bytes) return std::nullopt;
  return Fault{.kind = FaultKind::kTooLarge,
               .message = base::StrCat("the answer would hold ", base::WithCommas(bytes),
                                       " bytes of numbers; at most ",
                                       base::WithCommas(options.max_answer_bytes),
                                       " are given at once: ask for fewer texts"),
               .field = "texts"};
}

}  // namespace hone::server
