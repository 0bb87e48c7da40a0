#include "server/api/pipeline_json.h"

#include "base/json.h"
#include "server/api/fields.h"

namespace hone::server {
namespace {

constexpr int kMaxTop = 1 << 10;

MaybeFault ReadText(const base::JsonValue& object, std::string_view name,
                    std::vector<TextInput>* inputs) {
  std::optional<base::JsonValue> value;
  HONE_RETURN_IF_FAULT(Require(object, name, &value));
  TextInput& input = inputs->emplace_back();
  input.field = FieldOf(*value);
  return AsString(*value, &input.text);
}

// Entities and fillings are places in a text: token ids have none.
MaybeFault CheckStrings(const std::vector<TextInput>& inputs) {
  for (const TextInput& input : inputs) {
    if (!input.ids.empty()) return BadRequest(input.field, "expected a string, found token ids");
  }
  return {};
}

MaybeFault ReadInputs(const base::JsonValue& inputs, int max_texts, PipelineRequest* request) {
  if (!inputs.IsObject()) {
    HONE_RETURN_IF_FAULT(ReadTexts(inputs, max_texts, &request->inputs, &request->single));
    return CheckStrings(request->inputs);
  }
  request->single = true;
  if (inputs.Find("question")) {
    request->shape = PipelineShape::kQuestion;
    HONE_RETURN_IF_FAULT(ReadText(inputs, "question", &request->inputs));
    return ReadText(inputs, "context", &request->inputs);
  }
  if (inputs.Find("source_sentence")) {
    request->shape = PipelineShape::kSimilarity;
    HONE_RETURN_IF_FAULT(ReadText(inputs, "source_sentence", &request->inputs));
    std::optional<base::JsonValue> sentences;
    HONE_RETURN_IF_FAULT(Require(inputs, "sentences", &sentences));
    if (!sentences->IsArray()) return Wrong(*sentences, "expected an array of strings");
    bool single = false;
    HONE_RETURN_IF_FAULT(ReadTexts(*sentences, max_texts, &request->inputs, &single));
    return CheckStrings(request->inputs);
  }
  HONE_RETURN_IF_FAULT(ReadText(inputs, "text", &request->inputs));
  if (const auto pair = inputs.Find("text_pair")) {
    return AsString(*pair, &request->inputs[0].pair.emplace());
  }
  return {};
}

MaybeFault ReadParameters(const base::JsonValue& object, PipelineRequest* request) {
  std::int64_t top = 0, longest = 15;
  HONE_RETURN_IF_FAULT(ReadInt(object, "top_k", 1, kMaxTop, &top));
  request->top = static_cast<int>(top);
  HONE_RETURN_IF_FAULT(ReadInt(object, "max_answer_len", 1, kMaxTop, &longest));
  request->answer.count = top > 0 ? static_cast<int>(top) : 1;
  request->answer.max_answer_tokens = static_cast<int>(longest);
  HONE_RETURN_IF_FAULT(
      ReadBool(object, "handle_impossible_answer", &request->answer.allow_no_answer));
  HONE_RETURN_IF_FAULT(ReadBool(object, "truncate", &request->truncate));
  HONE_RETURN_IF_FAULT(ReadBool(object, "normalize", &request->normalize));
  std::string aggregation = "simple", function;
  HONE_RETURN_IF_FAULT(ReadString(object, "aggregation_strategy", &aggregation));
  const auto parsed = runtime::ParseAggregation(aggregation);
  if (!parsed.ok()) {
    return BadRequest("aggregation_strategy", "expected none, simple, first, average or max");
  }
  request->aggregation = *parsed;
  HONE_RETURN_IF_FAULT(ReadString(object, "function_to_apply", &function));
  if (function == "softmax") request->function = runtime::ScoreFunction::kSoftmax;
  if (function == "sigmoid") request->function = runtime::ScoreFunction::kSigmoid;
  if (function == "none") request->function = runtime::ScoreFunction::kNone;
  if (!function.empty() && !request->function) {
    return BadRequest("function_to_apply", "expected softmax, sigmoid or none");
  }
  return {};
}

}  // namespace

MaybeFault ReadPipeline(std::string_view body, int max_texts, PipelineRequest* request) {
  std::optional<base::Json> json;
  HONE_RETURN_IF_FAULT(ParseBody(body, &json));
  const base::JsonValue root = json->root();
  HONE_RETURN_IF_FAULT(ReadString(root, "model", &request->model));
  std::optional<base::JsonValue> inputs;
  HONE_RETURN_IF_FAULT(Require(root, "inputs", &inputs));
  HONE_RETURN_IF_FAULT(ReadInputs(*inputs, max_texts, request));
  // Feature extraction sends its options beside `inputs`, the other tasks in `parameters`.
  const auto parameters = root.Find("parameters");
  if (!parameters) return ReadParameters(root, request);
  if (!parameters->IsObject()) return Wrong(*parameters, "expected an object");
  return ReadParameters(*parameters, request);
}

}  // namespace hone::server
