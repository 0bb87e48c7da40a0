// What a head's rows mean for the texts that they are of: runtime/tasks with an endpoint's labels.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/tasks/fill_mask.h"
#include "runtime/tasks/joint.h"
#include "runtime/tasks/question_answering.h"
#include "runtime/tasks/sequence_classification.h"
#include "runtime/tasks/token_classification.h"
#include "server/api/fault.h"
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

// Question and context as windows that overlap by `stride` of the context's tokens; a fault where
// they are more than `max_windows`, or the question leaves no room.
MaybeFault MakeWindows(const Endpoint& endpoint, const std::string& question,
                       const std::string& context, int stride, int max_windows,
                       std::vector<text::Encoding>* windows);

// One window a text of the query.
std::vector<runtime::Answer> AnswersOf(std::span<const text::Encoding> windows,
                                       std::span<const TextResult> results,
                                       std::string_view context,
                                       const runtime::AnswerOptions& options);

inline constexpr int kDefaultFillings = 5;  // of a mask
// Each filling of each mask is written out, the text with it: a fault where `count` a mask are too many in all.
MaybeFault CheckFillings(const Endpoint& endpoint, std::span<const text::Encoding> encodings,
                         int count, std::string_view field);
// The best `count` tokens for each mask.
std::vector<std::vector<runtime::TokenScore>> FillingsOf(const TextResult& result, int count);

}  // namespace hone::server
