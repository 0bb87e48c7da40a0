// How near texts are to a query, by either kind of model: a cross-encoder (a classifier with one label)
// reads query and text as a pair; an embedding model reads each, and the cosine counts.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "server/api/fault.h"
#include "server/api/texts.h"
#include "server/query.h"

namespace hone::server {

inline constexpr std::string_view kReranking =
    "reranking, which wants a cross-encoder with one label or an embedding model";
bool CanRank(const Endpoint& endpoint);

// A cross-encoder gets one pair a text, an embedding model the query and then the texts. Faults name
// `query_field`, or `texts_field` with the text's index.
MaybeFault EncodeRanking(const Endpoint& endpoint, const std::string& query,
                         std::span<const std::string> texts, const Truncate& truncate,
                         std::string_view query_field, std::string_view texts_field,
                         std::vector<text::Encoding>* encodings);

// One score a text: sigmoid(logit), or the logit itself where `raw`; or the cosine.
std::vector<float> RankingScores(const Endpoint& endpoint, std::span<const TextResult> results,
                                 bool raw);

}  // namespace hone::server
