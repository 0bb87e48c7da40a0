#include "server/api/kserve_json.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/json.h"
#include "server/api/fields.h"
#include "server/api/vectors.h"

namespace hone::server {
namespace {

constexpr int kMaxTensors = 16, kMaxRank = 8;

// Elements one after the other, of flat data or of data nested as its shape is: of a row that were too long the
// end would else be read as the next one's.
MaybeFault ReadData(const base::JsonValue& value, bool nested, std::size_t depth,
                    InferTensor* tensor) {
  const std::vector<std::int64_t>& shape = tensor->shape;
  if (value.IsArray()) {
    if (depth == (nested ? shape.size() : 1)) {
      return Wrong(value, "is nested more deeply than its shape");
    }
    if (nested && value.size() != shape[depth]) {
      return Wrong(value, base::StrCat("has ", value.size(), " elements, and its shape wants ",
                                       shape[depth]));
    }
    for (const base::JsonValue element : value) {
      HONE_RETURN_IF_FAULT(ReadData(element, nested, depth + 1, tensor));
    }
    return {};
  }
  if (nested && depth < shape.size()) return Wrong(value, "is nested less deeply than its shape");
  switch (tensor->type) {
    case TensorType::kBytes: return AsString(value, &tensor->bytes.emplace_back());
    case TensorType::kFp32: {
      const auto number = value.Double();
      if (!number.ok()) return Wrong(value, "expected a number");
      tensor->floats.push_back(static_cast<float>(*number));
      return {};
    }
    case TensorType::kInt32:
      return AsInt(value, std::numeric_limits<std::int32_t>::min(),
                   std::numeric_limits<std::int32_t>::max(), &tensor->ints.emplace_back());
    case TensorType::kUint32:
      return AsInt(value, 0, std::numeric_limits<std::uint32_t>::max(),
                   &tensor->ints.emplace_back());
    case TensorType::kInt64:
      return AsInt(value, std::numeric_limits<std::int64_t>::min(),
                   std::numeric_limits<std::int64_t>::max(), &tensor->ints.emplace_back());
  }
  return {};
}

MaybeFault ReadShape(const base::JsonValue& value, InferTensor* tensor) {
  if (!value.IsArray() || value.size() > kMaxRank) {
    return Wrong(value, base::StrCat("expected an array of at most ", kMaxRank, " sizes"));
  }
  for (const base::JsonValue size : value) {
    HONE_RETURN_IF_FAULT(
        AsInt(size, 0, std::numeric_limits<std::int32_t>::max(), &tensor->shape.emplace_back()));
  }
  return {};
}

MaybeFault ReadTensor(const base::JsonValue& value, std::string_view* binary, InferTensor* tensor) {
  if (!value.IsObject()) return Wrong(value, "expected an object");
  std::optional<base::JsonValue> name, datatype, shape, data;
  HONE_RETURN_IF_FAULT(Require(value, "name", &name));
  HONE_RETURN_IF_FAULT(AsString(*name, &tensor->name));
  HONE_RETURN_IF_FAULT(Require(value, "datatype", &datatype));
  std::string type;
  HONE_RETURN_IF_FAULT(AsString(*datatype, &type));
  const auto parsed = ParseTensorType(type);
  if (!parsed) {
    return Wrong(*datatype, base::StrCat("expected BYTES, INT64, INT32, UINT32 or FP32, found \"",
                                         type.substr(0, 40), "\""));
  }
  tensor->type = *parsed;
  HONE_RETURN_IF_FAULT(Require(value, "shape", &shape));
  HONE_RETURN_IF_FAULT(ReadShape(*shape, tensor));
  if (const auto parameters = value.Find("parameters")) {
    if (!parameters->IsObject()) return Wrong(*parameters, "expected an object");
    std::int64_t bytes = -1;
    HONE_RETURN_IF_FAULT(ReadInt(*parameters, "binary_data_size", 0,
                                 std::numeric_limits<std::int32_t>::max(), &bytes));
    if (bytes >= 0) {
      if (const auto both = value.Find("data")) {
        return Wrong(*both, "is given, and binary_data_size too: one of the two holds the tensor");
      }
      if (static_cast<std::size_t>(bytes) > binary->size()) {
        return Wrong(*parameters, base::StrCat("binary_data_size is ", bytes, ", and ",
                                               binary->size(), " bytes are left of the body"));
      }
      const std::string_view raw = binary->substr(0, static_cast<std::size_t>(bytes));
      binary->remove_prefix(static_cast<std::size_t>(bytes));
      return ReadRaw(raw, tensor);
    }
  }
  HONE_RETURN_IF_FAULT(Require(value, "data", &data));
  if (!data->IsArray()) return Wrong(*data, "expected an array");
  std::int64_t wanted = 0;
  HONE_RETURN_IF_FAULT(CountElements(tensor->name, tensor->shape, &wanted));
  const bool nested = data->size() > 0 && (*data->begin()).IsArray();
  HONE_RETURN_IF_FAULT(ReadData(*data, nested, 0, tensor));
  const std::size_t found =
      std::max({tensor->bytes.size(), tensor->floats.size(), tensor->ints.size()});
  if (static_cast<std::size_t>(wanted) != found) {
    return Wrong(*data, base::StrCat("has ", found, " elements, and the shape of \"", tensor->name,
                                     "\" wants ", wanted));
  }
  return {};
}

MaybeFault ReadParameters(const base::JsonValue& parameters, const ServiceOptions& options,
                          KserveHttpRequest* request) {
  if (!parameters.IsObject()) return Wrong(parameters, "expected an object");
  if (const auto timeout = parameters.Find("timeout")) {
    std::int64_t us = 0;
    HONE_RETURN_IF_FAULT(AsInt(*timeout, std::numeric_limits<std::int64_t>::min(),
                               std::numeric_limits<std::int64_t>::max(), &us));
    HONE_RETURN_IF_FAULT(SetTimeout(us, options, &request->infer));
  }
  if (const auto priority = parameters.Find("priority")) {
    if (priority->IsString()) {
      HONE_RETURN_IF_FAULT(SetPriority(*priority->String(), &request->infer));
    } else {
      std::int64_t number = 0;
      HONE_RETURN_IF_FAULT(AsInt(*priority, std::numeric_limits<std::int64_t>::min(),
                                 std::numeric_limits<std::int64_t>::max(), &number));
      HONE_RETURN_IF_FAULT(SetPriority(number, &request->infer));
    }
  }
  HONE_RETURN_IF_FAULT(ReadBool(parameters, "truncate", &request->infer.truncate));
  return ReadBool(parameters, "binary_data_output", &request->binary_by_default);
}

MaybeFault ReadOutputs(const base::JsonValue& outputs, KserveHttpRequest* request) {
  if (!outputs.IsArray() || outputs.size() > kMaxTensors) {
    return Wrong(outputs, base::StrCat("expected an array of at most ", kMaxTensors, " outputs"));
  }
  for (const base::JsonValue output : outputs) {
    if (!output.IsObject()) return Wrong(output, "expected an object");
    std::optional<base::JsonValue> name;
    HONE_RETURN_IF_FAULT(Require(output, "name", &name));
    HONE_RETURN_IF_FAULT(AsString(*name, &request->infer.outputs.emplace_back()));
    bool binary = request->binary_by_default;
    if (const auto parameters = output.Find("parameters")) {
      if (!parameters->IsObject()) return Wrong(*parameters, "expected an object");
      HONE_RETURN_IF_FAULT(ReadBool(*parameters, "binary_data", &binary));
    }
    request->binary.push_back(binary);
  }
  return {};
}

void WriteTensorData(const InferTensor& tensor, base::JsonWriter* json) {
  json->Key("data");
  if (tensor.type == TensorType::kFp32) {
    std::string numbers;
    AppendJson(tensor.floats, &numbers);
    json->Raw(numbers);
    return;
  }
  json->BeginArray();
  for (const std::string& element : tensor.bytes) json->String(element);
  for (const std::int64_t element : tensor.ints) json->Int(element);
  json->EndArray();
}

}  // namespace

MaybeFault ReadKserve(std::string_view body, std::optional<std::string_view> json_bytes,
                      const ServiceOptions& options, KserveHttpRequest* request) {
  std::string_view text = body, binary;
  if (json_bytes) {
    std::size_t size = 0;
    const auto read =
        std::from_chars(json_bytes->data(), json_bytes->data() + json_bytes->size(), size);
    if (read.ec != std::errc() || read.ptr != json_bytes->data() + json_bytes->size() ||
        size > body.size()) {
      return BadRequest("Inference-Header-Content-Length", "\"", json_bytes->substr(0, 40),
                        "\" is no length within a body of ", body.size(), " bytes");
    }
    text = body.substr(0, size);
    binary = body.substr(size);
  }
  std::optional<base::Json> json;
  HONE_RETURN_IF_FAULT(ParseBody(text, &json));
  const base::JsonValue root = json->root();
  HONE_RETURN_IF_FAULT(ReadString(root, "id", &request->infer.id));
  if (const auto parameters = root.Find("parameters")) {
    HONE_RETURN_IF_FAULT(ReadParameters(*parameters, options, request));
  }
  std::optional<base::JsonValue> inputs;
  HONE_RETURN_IF_FAULT(Require(root, "inputs", &inputs));
  if (!inputs->IsArray() || inputs->size() < 1 || inputs->size() > kMaxTensors) {
    return Wrong(*inputs, base::StrCat("expected an array of 1 to ", kMaxTensors, " tensors"));
  }
  for (const base::JsonValue input : *inputs) {
    HONE_RETURN_IF_FAULT(ReadTensor(input, &binary, &request->infer.inputs.emplace_back()));
  }
  if (!binary.empty()) {
    return BadRequest("inputs", binary.size(), " bytes behind the JSON belong to no tensor");
  }
  if (const auto outputs = root.Find("outputs")) {
    HONE_RETURN_IF_FAULT(ReadOutputs(*outputs, request));
  }
  return {};
}

KserveHttpAnswer WriteKserve(const KserveHttpRequest& request, const Endpoint& endpoint,
                             const Reply& reply) {
  base::JsonWriter json;
  json.BeginObject().Key("model_name").String(endpoint.name);
  json.Key("model_version").String(kModelVersion);
  if (!request.infer.id.empty()) json.Key("id").String(request.infer.id);
  json.Key("parameters").BeginObject();
  json.Key("hone_rung").String(reply.served.rung);
  json.Key("hone_queue_ms").Double(reply.served.queue_ms, 6);
  json.Key("hone_compute_ms").Double(reply.served.compute_ms, 6).EndObject();
  json.Key("outputs").BeginArray();
  std::string binary;
  KserveHttpAnswer answer;
  const std::vector<InferTensor> tensors = OutputTensors(request.infer, endpoint, reply.results);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const InferTensor& tensor = tensors[i];
    json.BeginObject().Key("name").String(tensor.name);
    json.Key("datatype").String(NameOf(tensor.type)).Key("shape").BeginArray();
    for (const std::int64_t size : tensor.shape) json.Int(size);
    json.EndArray();
    if (i < request.binary.size() ? request.binary[i] : request.binary_by_default) {
      answer.binary = true;
      const std::string raw = WriteRaw(tensor);
      json.Key("parameters").BeginObject().Key("binary_data_size");
      json.Int(static_cast<std::int64_t>(raw.size())).EndObject();
      binary += raw;
    } else {
      WriteTensorData(tensor, &json);
    }
    json.EndObject();
  }
  answer.body = json.EndArray().EndObject().Take();
  answer.json_bytes = answer.body.size();
  answer.body += binary;
  return answer;
}

}  // namespace hone::server
