#include "server/api/rerank.h"

#include "runtime/tasks/scores.h"

namespace hone::server {

bool CanRank(const Endpoint& endpoint) {
  if (endpoint.task == model::Task::kEmbedding) return true;
  return endpoint.task == model::Task::kSequenceClassification && endpoint.head.labels.size() == 1;
}

MaybeFault EncodeRanking(const Endpoint& endpoint, const std::string& query,
                         std::span<const std::string> texts, const Truncate& truncate,
                         std::string_view query_field, std::string_view texts_field,
                         std::vector<text::Encoding>* encodings) {
  std::vector<TextInput> inputs;
  const bool pairs = endpoint.task == model::Task::kSequenceClassification;
  // Before the query is copied to every text.
  if (pairs && query.size() * texts.size() > kMaxAllBytes) {
    return TooLarge(query_field, "with each of the ", texts.size(),
                    " texts it is over the limit of ", kMaxAllBytes, " bytes");
  }
  if (!pairs) inputs.push_back({.text = query, .field = std::string(query_field)});
  for (std::size_t i = 0; i < texts.size(); ++i) {
    TextInput input{.text = texts[i], .field = base::StrCat(texts_field, "[", i, "]")};
    if (pairs) {
      input.text = query;
      input.pair = texts[i];
    }
    inputs.push_back(std::move(input));
  }
  return EncodeAll(endpoint, inputs, truncate, encodings);
}

std::vector<float> RankingScores(const Endpoint& endpoint, std::span<const TextResult> results,
                                 bool raw) {
  std::vector<float> scores;
  if (endpoint.task == model::Task::kSequenceClassification) {
    for (const TextResult& result : results) {
      const float logit = result.outputs[0].values[0];
      scores.push_back(raw ? logit : runtime::Sigmoid(logit));
    }
    return scores;
  }
  for (const TextResult& result : results.subspan(1)) {
    scores.push_back(static_cast<float>(
        runtime::Cosine(results[0].outputs[0].values, result.outputs[0].values)));
  }
  return scores;
}

}  // namespace hone::server
