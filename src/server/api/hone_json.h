// Hone's own routes as JSON: pure functions, no service.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/tasks/question_answering.h"
#include "runtime/tasks/token_classification.h"
#include "server/api/fault.h"
#include "server/api/texts.h"
#include "server/service.h"

namespace hone::server {

struct AnswerRequest {
  std::string model, question, context;
  int stride = 128;  // context tokens that windows of a long context share
  runtime::AnswerOptions options;
};
MaybeFault ReadAnswer(std::string_view body, AnswerRequest* request);
// Answers with start and end in characters of the context.
std::string WriteAnswers(const AnswerRequest& request, std::string_view model,
                         std::span<const runtime::Answer> answers);

// /v1/hone/tag, /classify and /fill: "text", "texts" or (tag) "words".
struct LabelRequest {
  std::string model;
  std::vector<TextInput> inputs;
  // Of "words": where each begins in the text that they make, joined by spaces; otherwise empty.
  std::vector<std::size_t> word_begins;
  runtime::Aggregation aggregation = runtime::Aggregation::kSimple;
  int top = 0;  // labels or fillings of a text; 0: all labels, 5 fillings
  bool truncate = false;
};
MaybeFault ReadLabelRequest(std::string_view body, int max_texts, LabelRequest* request);

// {"label","score","text","start","end"} each; with words also "first_word" and "last_word".
void WriteEntities(const LabelRequest& request, std::string_view text,
                   std::span<const runtime::Entity> entities, base::JsonWriter* json);

std::string WriteModels(const ServiceStatus& status);

}  // namespace hone::server
