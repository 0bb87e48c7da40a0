// Outputs of KServe's inference: from a head's rows to tensors.
#include <algorithm>

#include "runtime/tasks/scores.h"
#include "server/api/answers.h"
#include "server/api/kserve_infer.h"

namespace hone::server {
namespace {

using model::Task;

bool OneRowAText(model::Rows rows) {
  return rows != model::Rows::kAll && rows != model::Rows::kMasked;
}

bool AnyOf(const Endpoint& endpoint, model::Rows rows) {
  return std::ranges::any_of(endpoint.head.outputs,
                             [&](const model::HeadOutput& output) { return output.rows == rows; });
}

// Every text's rows, or zeros up to the longest's.
InferTensor Padded(const std::string& name, const std::vector<TextResult>& results,
                   std::size_t output) {
  int longest = 0, width = 0;
  for (const TextResult& result : results) {
    longest = std::max(longest, result.outputs[output].rows());
    width = result.outputs[output].width;
  }
  InferTensor tensor{.name = name,
                     .type = TensorType::kFp32,
                     .shape = {static_cast<std::int64_t>(results.size()), longest, width}};
  const std::size_t stride = static_cast<std::size_t>(longest) * static_cast<std::size_t>(width);
  tensor.floats.assign(results.size() * stride, 0.0F);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::vector<float>& values = results[i].outputs[output].values;
    std::ranges::copy(values, tensor.floats.begin() + static_cast<std::ptrdiff_t>(i * stride));
  }
  return tensor;
}

InferTensor Concatenated(const std::string& name, const std::vector<TextResult>& results,
                         std::size_t output) {
  InferTensor tensor{.name = name, .type = TensorType::kFp32, .shape = {0, 0}};
  for (const TextResult& result : results) {
    const Rows& rows = result.outputs[output];
    tensor.shape[0] += rows.rows();
    tensor.shape[1] = rows.width;
    tensor.floats.insert(tensor.floats.end(), rows.values.begin(), rows.values.end());
  }
  return tensor;
}

// Rows of each text.
InferTensor Counts(std::string_view name, const std::vector<TextResult>& results,
                   std::size_t output) {
  InferTensor tensor{.name = std::string(name),
                     .type = TensorType::kInt32,
                     .shape = {static_cast<std::int64_t>(results.size())}};
  for (const TextResult& result : results) tensor.ints.push_back(result.outputs[output].rows());
  return tensor;
}

// The best label of every token.
InferTensor TokenLabels(std::string_view name, const std::vector<TextResult>& results,
                        std::size_t output, const std::vector<std::string>& labels) {
  int longest = 0;
  for (const TextResult& result : results) {
    longest = std::max(longest, result.outputs[output].rows());
  }
  InferTensor tensor{.name = std::string(name),
                     .type = TensorType::kBytes,
                     .shape = {static_cast<std::int64_t>(results.size()), longest}};
  for (const TextResult& result : results) {
    const Rows& rows = result.outputs[output];
    const auto width = static_cast<std::size_t>(rows.width);
    for (int r = 0; r < longest; ++r) {
      tensor.bytes.emplace_back();
      if (r >= rows.rows()) continue;
      const auto row = std::span(rows.values).subspan(static_cast<std::size_t>(r) * width, width);
      tensor.bytes.back() = labels[static_cast<std::size_t>(runtime::ArgMax(row))];
    }
  }
  return tensor;
}

InferTensor BestLabels(std::string_view name, const Endpoint& endpoint,
                       const std::vector<TextResult>& results) {
  InferTensor tensor{.name = std::string(name),
                     .type = TensorType::kBytes,
                     .shape = {static_cast<std::int64_t>(results.size())}};
  for (const TextResult& result : results) {
    tensor.bytes.emplace_back(LabelsOf(endpoint, result, 1)[0].label);
  }
  return tensor;
}

InferTensor BestScores(const Endpoint& endpoint, const std::vector<TextResult>& results) {
  InferTensor tensor{.name = "score",
                     .type = TensorType::kFp32,
                     .shape = {static_cast<std::int64_t>(results.size())}};
  for (const TextResult& result : results) {
    tensor.floats.push_back(LabelsOf(endpoint, result, 1)[0].score);
  }
  return tensor;
}

InferTensor HeadTensor(const Endpoint& endpoint, std::size_t output,
                       const std::vector<TextResult>& results) {
  const model::HeadOutput& head = endpoint.head.outputs[output];
  if (head.rows == model::Rows::kAll) return Padded(head.name, results, output);
  return Concatenated(head.name, results, output);
}

std::size_t OutputWith(const Endpoint& endpoint, model::Rows rows) {
  return static_cast<std::size_t>(
      std::ranges::find(endpoint.head.outputs, rows, &model::HeadOutput::rows) -
      endpoint.head.outputs.begin());
}

InferTensor MakeOutput(const std::string& name, const Endpoint& endpoint,
                       const std::vector<TextResult>& results) {
  for (std::size_t i = 0; i < endpoint.head.outputs.size(); ++i) {
    if (endpoint.head.outputs[i].name == name) return HeadTensor(endpoint, i, results);
  }
  if (name == "lengths") return Counts(name, results, OutputWith(endpoint, model::Rows::kAll));
  if (name == "masks") return Counts(name, results, OutputWith(endpoint, model::Rows::kMasked));
  if (name == "labels") return TokenLabels(name, results, 0, endpoint.head.labels);
  if (name == "slot_labels") return TokenLabels(name, results, 1, endpoint.head.slot_labels);
  if (name == "score") return BestScores(endpoint, results);
  return BestLabels(name, endpoint, results);
}

}  // namespace

std::vector<TensorInfo> InputsOf(const Endpoint& endpoint) {
  std::vector<TensorInfo> inputs = {
      {"text", TensorType::kBytes, {-1}},
      {"text_pair", TensorType::kBytes, {-1}},
      {"input_ids", TensorType::kInt64, {-1, -1}},
      {"attention_mask", TensorType::kInt64, {-1, -1}},
  };
  if (endpoint.token_types > 1) {
    inputs.push_back({"token_type_ids", TensorType::kInt64, {-1, -1}});
  }
  return inputs;
}

std::vector<TensorInfo> OutputsOf(const Endpoint& endpoint) {
  std::vector<TensorInfo> outputs;
  for (const model::HeadOutput& output : endpoint.head.outputs) {
    TensorInfo info{output.name, TensorType::kFp32, {-1, output.width}};
    if (output.rows == model::Rows::kAll) info.shape = {-1, -1, output.width};
    outputs.push_back(std::move(info));
  }
  if (AnyOf(endpoint, model::Rows::kAll)) outputs.push_back({"lengths", TensorType::kInt32, {-1}});
  if (AnyOf(endpoint, model::Rows::kMasked)) outputs.push_back({"masks", TensorType::kInt32, {-1}});
  if (endpoint.task == Task::kSequenceClassification &&
      OneRowAText(endpoint.head.outputs[0].rows)) {
    outputs.push_back({"label", TensorType::kBytes, {-1}});
    outputs.push_back({"score", TensorType::kFp32, {-1}});
  }
  if (endpoint.task == Task::kTokenClassification) {
    outputs.push_back({"labels", TensorType::kBytes, {-1, -1}});
  }
  if (endpoint.task == Task::kJoint) {
    outputs.push_back({"intent_label", TensorType::kBytes, {-1}});
    outputs.push_back({"score", TensorType::kFp32, {-1}});
    outputs.push_back({"slot_labels", TensorType::kBytes, {-1, -1}});
  }
  return outputs;
}

MaybeFault CheckOutputs(const InferRequest& request, const Endpoint& endpoint) {
  const std::vector<TensorInfo> known = OutputsOf(endpoint);
  for (const std::string& name : request.outputs) {
    if (std::ranges::count(request.outputs, name) > 1) {
      return BadRequest("outputs", "\"", name.substr(0, 100), "\" is wanted twice");
    }
    if (std::ranges::find(known, name, &TensorInfo::name) != known.end()) continue;
    std::vector<std::string> names;
    for (const TensorInfo& info : known) names.push_back(info.name);
    return BadRequest("outputs", "\"", name.substr(0, 100), "\" is no output of \"", endpoint.name,
                      "\"; it has ", base::Join(names, ", "));
  }
  return {};
}

std::vector<InferTensor> OutputTensors(const InferRequest& request, const Endpoint& endpoint,
                                       const std::vector<TextResult>& results) {
  std::vector<InferTensor> tensors;
  if (request.outputs.empty()) {
    for (const TensorInfo& info : OutputsOf(endpoint)) {
      tensors.push_back(MakeOutput(info.name, endpoint, results));
    }
    return tensors;
  }
  for (const std::string& name : request.outputs) {
    tensors.push_back(MakeOutput(name, endpoint, results));
  }
  return tensors;
}

}  // namespace hone::server
