#include "server/api/rerank.h"

#include "runtime/tasks/scores.h"

namespace hone::server {

bool CanRank(const Endpoint& endpoint) {
  if (endpoint.task == model::Task::kEmbedding) return true;
  return endpoint.task == model::Task::kSequenceClassification && endpoint.head.labels.size() == 1;
}

MaybeFault EncodeRanking(const std::string& by, std::span<const std::string> texts,
                         const Truncate& truncate, std::string_view by_field,
                         std::string_view texts_field, Query* query) {
  const Endpoint& endpoint = *query->endpoint;
  std::vector<TextInput> inputs;
  const bool pairs = endpoint.task == model::Task::kSequenceClassification;
  // Before it is copied to every text.
  if (pairs && by.size() * texts.size() > kMaxAllBytes) {
    return TooLarge(by_field, "with each of the ", texts.size(), " texts it is over the limit of ",
                    kMaxAllBytes, " bytes");
  }
  if (!pairs) inputs.push_back({.text = by, .field = std::string(by_field)});
  query->uncounted = pairs ? 0 : 1;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    TextInput input{.text = texts[i], .field = base::StrCat(texts_field, "[", i, "]")};
    if (pairs) {
      input.text = by;
      input.pair = texts[i];
    }
    inputs.push_back(std::move(input));
  }
  return EncodeAll(endpoint, inputs, truncate, false, &query->texts);
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
