// What a head's rows mean for the texts that they are of: runtime/tasks with an endpoint's labels.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "runtime/tasks/fill_mask.h"
#include "runtime/tasks/joint.h"
#include "runtime/tasks/question_answering.h"
#include "runtime/tasks/sequence_classification.h"
#include "runtime/tasks/token_classification.h"
#include "server/endpoint.h"
#include "server/query.h"

namespace hone::server {

// `encoding` is whole: ids, offsets, sequences.
std::vector<runtime::Entity> EntitiesOf(const Endpoint& endpoint, std::string_view text,
                                        const text::Encoding& encoding, const TextResult& result,
                                        runtime::Aggregation aggregation);
runtime::JointResult JointOf(const Endpoint& endpoint, std::string_view text,
                             const text::Encoding& encoding, const TextResult& result);

// The best `count` labels of a classifier, or intents of a joint model; 0: all.
std::vector<runtime::LabelScore> LabelsOf(const Endpoint& endpoint, const TextResult& result,
                                          int count);

// One window a text of the query.
std::vector<runtime::Answer> AnswersOf(std::span<const text::Encoding> windows,
                                       std::span<const TextResult> results,
                                       std::string_view context,
                                       const runtime::AnswerOptions& options);

// The best `count` tokens for each mask.
std::vector<std::vector<runtime::TokenScore>> FillingsOf(const TextResult& result, int count);

}  // namespace hone::server
