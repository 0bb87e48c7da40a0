// The bodies of Hugging Face's hosted inference, as its InferenceClient sends and reads them: the task is
// the model's, `inputs` has the task's shape, `parameters` its options.
//
// Source  huggingface.co/docs/inference-providers, tasks; huggingface_hub's InferenceClient
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/tasks/question_answering.h"
#include "runtime/tasks/sequence_classification.h"
#include "runtime/tasks/token_classification.h"
#include "server/api/fault.h"
#include "server/api/texts.h"

namespace hone::server {

// What `inputs` looks like decides which models are asked where none is named.
enum class PipelineShape : std::uint8_t { kTexts, kSimilarity, kQuestion };

struct PipelineRequest {
  std::string model;
  PipelineShape shape = PipelineShape::kTexts;
  std::vector<TextInput> inputs;  // of kQuestion: the question, then the context
  bool single = false;            // inputs was one text
  int top = 0;                    // top_k; 0: the task's own
  std::optional<runtime::ScoreFunction> function;
  runtime::Aggregation aggregation = runtime::Aggregation::kSimple;
  bool truncate = true;
  bool normalize = false;  // of embeddings; as the models have it where nothing is said
  runtime::AnswerOptions answer;
};

MaybeFault ReadPipeline(std::string_view body, int max_texts, PipelineRequest* request);

}  // namespace hone::server
