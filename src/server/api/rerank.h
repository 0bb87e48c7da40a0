// How near texts are to a query, by either kind of model: a cross-encoder (a classifier with one
// label) reads query and text as a pair; an embedding model reads each, and the cosine counts.
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

// The texts of `query`, whose endpoint is chosen: of a cross-encoder one pair a text, of an embedding model what is
// ranked by and then the texts. Faults name `by_field`, or `texts_field` with the text's index.
MaybeFault EncodeRanking(const std::string& by, std::span<const std::string> texts,
                         const Truncate& truncate, std::string_view by_field,
                         std::string_view texts_field, Query* query);

// One score a text: sigmoid(logit), or the logit itself where `raw`; or the cosine.
std::vector<float> RankingScores(const Endpoint& endpoint, std::span<const TextResult> results,
                                 bool raw);

}  // namespace hone::server
