#include "server/grpc/infer_messages.h"

#include <algorithm>
#include <limits>

#include "kserve.pb.h"

namespace hone::server {
namespace {

constexpr int kMaxTensors = 16, kMaxRank = 8;

int ElementsOfAllTypes(const inference::InferTensorContents& contents) {
  return contents.bool_contents_size() + contents.int_contents_size() +
         contents.int64_contents_size() + contents.uint_contents_size() +
         contents.uint64_contents_size() + contents.fp32_contents_size() +
         contents.fp64_contents_size() + contents.bytes_contents_size();
}

MaybeFault ReadContents(const inference::InferTensorContents& contents, InferTensor* tensor) {
  std::int64_t wanted = 0;
  HONE_RETURN_IF_FAULT(CountElements(tensor->name, tensor->shape, &wanted));
  std::size_t found = 0;
  const auto take = [&](const auto& from, auto* to) {
    to->assign(from.begin(), from.end());
    found = to->size();
  };
  switch (tensor->type) {
    case TensorType::kBytes: take(contents.bytes_contents(), &tensor->bytes); break;
    case TensorType::kFp32: take(contents.fp32_contents(), &tensor->floats); break;
    case TensorType::kInt64: take(contents.int64_contents(), &tensor->ints); break;
    case TensorType::kInt32: take(contents.int_contents(), &tensor->ints); break;
    case TensorType::kUint32: take(contents.uint_contents(), &tensor->ints); break;
  }
  const std::size_t all = static_cast<std::size_t>(ElementsOfAllTypes(contents));
  if (all > found) {
    return BadRequest(tensor->name, "has ", all - found, " elements that are not of its datatype, ",
                      NameOf(tensor->type));
  }
  if (found == static_cast<std::size_t>(wanted)) return {};
  return BadRequest(tensor->name, "has ", found, " elements of ", NameOf(tensor->type),
                    ", and its shape wants ", wanted);
}

MaybeFault ReadInput(const inference::ModelInferRequest& message, int index, InferTensor* tensor) {
  const auto& input = message.inputs(index);
  const std::string field = base::StrCat("inputs[", index, "]");
  tensor->name = input.name();
  const auto type = ParseTensorType(input.datatype());
  if (!type) {
    return BadRequest(field + ".datatype", "expected BYTES, INT64, INT32, UINT32 or FP32, found \"",
                      input.datatype().substr(0, 40), "\"");
  }
  tensor->type = *type;
  if (input.shape_size() > kMaxRank) {
    return BadRequest(field + ".shape", "has more than ", kMaxRank, " sizes");
  }
  tensor->shape.assign(input.shape().begin(), input.shape().end());
  if (message.raw_input_contents_size() > 0) {
    if (input.has_contents()) {
      return BadRequest(tensor->name, "has contents beside raw_input_contents; one of the two");
    }
    return ReadRaw(message.raw_input_contents(index), tensor);
  }
  return ReadContents(input.contents(), tensor);
}

MaybeFault WrongKind(std::string_view name, std::string_view wanted) {
  return BadRequest(base::StrCat("parameters.", name), "expected ", wanted);
}

MaybeFault ReadParameter(const std::string& name, const inference::InferParameter& value,
                         const ServiceOptions& options, InferRequest* request) {
  using Parameter = inference::InferParameter;
  const auto kind = value.parameter_choice_case();
  // Integers come as either kind; what is beyond int64 is beyond every limit.
  std::int64_t number = value.int64_param();
  if (kind == Parameter::kUint64Param) {
    number = static_cast<std::int64_t>(
        std::min<std::uint64_t>(value.uint64_param(), std::numeric_limits<std::int64_t>::max()));
  }
  const bool is_int = kind == Parameter::kInt64Param || kind == Parameter::kUint64Param;
  if (name == "timeout") {
    return is_int ? SetTimeout(number, options, request)
                  : WrongKind(name, "an integer of microseconds");
  }
  if (name == "priority") {
    if (kind == Parameter::kStringParam) return SetPriority(value.string_param(), request);
    return is_int ? SetPriority(number, request) : WrongKind(name, "an integer or a name");
  }
  if (name == "truncate") {
    if (kind != Parameter::kBoolParam) return WrongKind(name, "a boolean");
    request->truncate = value.bool_param();
  }
  return {};
}

}  // namespace

MaybeFault ReadMessage(const inference::ModelInferRequest& message, const ServiceOptions& options,
                       InferRequest* request) {
  request->model = message.model_name();
  request->version = message.model_version();
  request->id = message.id();
  if (message.inputs_size() < 1 || message.inputs_size() > kMaxTensors) {
    return BadRequest("inputs", "from 1 to ", kMaxTensors, " tensors are wanted");
  }
  if (message.outputs_size() > kMaxTensors) {
    return BadRequest("outputs", "at most ", kMaxTensors, " can be wanted");
  }
  if (message.raw_input_contents_size() > 0 &&
      message.raw_input_contents_size() != message.inputs_size()) {
    return BadRequest("raw_input_contents", "has ", message.raw_input_contents_size(),
                      " elements for ", message.inputs_size(), " inputs");
  }
  for (const auto& [name, value] : message.parameters()) {
    HONE_RETURN_IF_FAULT(ReadParameter(name, value, options, request));
  }
  for (int i = 0; i < message.inputs_size(); ++i) {
    HONE_RETURN_IF_FAULT(ReadInput(message, i, &request->inputs.emplace_back()));
  }
  for (const auto& output : message.outputs()) request->outputs.push_back(output.name());
  return {};
}

void WriteMessage(const InferRequest& request, const Endpoint& endpoint, const Reply& reply,
                  inference::ModelInferResponse* message) {
  message->set_model_name(endpoint.name);
  message->set_model_version(std::string(kModelVersion));
  message->set_id(request.id);
  auto& parameters = *message->mutable_parameters();
  parameters["hone_rung"].set_string_param(reply.served.rung);
  parameters["hone_queue_ms"].set_double_param(reply.served.queue_ms);
  parameters["hone_compute_ms"].set_double_param(reply.served.compute_ms);
  for (const InferTensor& tensor : OutputTensors(request, endpoint, reply.results)) {
    auto* output = message->add_outputs();
    output->set_name(tensor.name);
    output->set_datatype(std::string(NameOf(tensor.type)));
    for (const std::int64_t size : tensor.shape) output->add_shape(size);
    message->add_raw_output_contents(WriteRaw(tensor));
  }
}

}  // namespace hone::server
