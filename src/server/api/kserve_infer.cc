#include "server/api/kserve_infer.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "server/api/exchange.h"
#include "server/api/texts.h"

namespace hone::server {
namespace {

// More elements than any request that passes the body's limit can have.
constexpr std::int64_t kMaxElements = std::int64_t{1} << 28;
static_assert(std::endian::native == std::endian::little);

const InferTensor* Find(const InferRequest& request, std::string_view name) {
  const auto at = std::ranges::find(request.inputs, name, &InferTensor::name);
  return at == request.inputs.end() ? nullptr : &*at;
}

std::size_t WidthOf(TensorType type) {
  return type == TensorType::kInt64 ? 8 : 4;
}

// B of [B] or [B,1].
MaybeFault CheckTextShape(const InferTensor& tensor, int max_texts) {
  if (tensor.type != TensorType::kBytes) {
    return BadRequest(tensor.name, "expected BYTES, found ", NameOf(tensor.type));
  }
  const auto& shape = tensor.shape;
  if (shape.empty() || shape.size() > 2 || (shape.size() == 2 && shape[1] != 1)) {
    return BadRequest(tensor.name, "expected the shape [B] or [B,1], found [",
                      base::Join(shape, ","), "]");
  }
  if (shape[0] < 1) return BadRequest(tensor.name, "is empty");
  if (shape[0] > max_texts) {
    return TooLarge(tensor.name, shape[0], " texts are more than the limit of ", max_texts);
  }
  return {};
}

MaybeFault ReadTextInputs(const InferRequest& request, const InferTensor& text, int max_texts,
                          std::vector<TextInput>* inputs) {
  HONE_RETURN_IF_FAULT(CheckTextShape(text, max_texts));
  const InferTensor* pair = Find(request, "text_pair");
  if (pair != nullptr) {
    HONE_RETURN_IF_FAULT(CheckTextShape(*pair, max_texts));
    if (pair->bytes.size() != text.bytes.size()) {
      return BadRequest("text_pair", "has ", pair->bytes.size(), " texts, and text has ",
                        text.bytes.size());
    }
  }
  for (std::size_t i = 0; i < text.bytes.size(); ++i) {
    TextInput& input = inputs->emplace_back();
    input.text = text.bytes[i];
    input.field = base::StrCat("text[", i, "]");
    if (pair != nullptr) input.pair = pair->bytes[i];
  }
  return {};
}

MaybeFault CheckTokenShape(const InferTensor& tensor, const InferTensor& ids, int max_texts) {
  if (tensor.type == TensorType::kBytes || tensor.type == TensorType::kFp32) {
    return BadRequest(tensor.name, "expected INT64, INT32 or UINT32, found ", NameOf(tensor.type));
  }
  if (tensor.shape.size() != 2 || tensor.shape[0] < 1 || tensor.shape[1] < 1) {
    return BadRequest(tensor.name, "expected the shape [B,T], found [",
                      base::Join(tensor.shape, ","), "]");
  }
  if (tensor.shape[0] > max_texts) {
    return TooLarge(tensor.name, tensor.shape[0], " texts are more than the limit of ", max_texts);
  }
  if (tensor.shape != ids.shape) {
    return BadRequest(tensor.name, "has the shape [", base::Join(tensor.shape, ","),
                      "], and input_ids has [", base::Join(ids.shape, ","), "]");
  }
  return {};
}

// One row of the token tensors; what the mask drops is left out, and not computed.
MaybeFault ReadTokenRow(const Endpoint& endpoint, const InferTensor& ids, const InferTensor* mask,
                        const InferTensor* types, std::size_t row, text::Encoding* encoding) {
  const auto width = static_cast<std::size_t>(ids.shape[1]);
  const auto kinds = std::max(endpoint.token_types, 1);
  for (std::size_t t = 0; t < width; ++t) {
    const std::size_t at = row * width + t;
    const auto field = [&](const InferTensor& tensor) {
      return base::StrCat(tensor.name, "[", row, "][", t, "]");
    };
    if (mask != nullptr) {
      if (mask->ints[at] != 0 && mask->ints[at] != 1) {
        return BadRequest(field(*mask), mask->ints[at], " is neither 0 nor 1");
      }
      if (mask->ints[at] == 0) continue;
    }
    if (ids.ints[at] < 0 || ids.ints[at] >= endpoint.vocabulary) {
      return BadRequest(field(ids), "token id ", ids.ints[at], " is not from 0 to ",
                        endpoint.vocabulary - 1);
    }
    std::int64_t type = types == nullptr ? 0 : types->ints[at];
    if (type < 0 || type >= kinds) {
      return BadRequest(field(*types), type, " is not from 0 to ", kinds - 1);
    }
    encoding->ids.push_back(static_cast<std::int32_t>(ids.ints[at]));
    encoding->types.push_back(static_cast<std::int32_t>(type));
  }
  if (encoding->ids.empty()) {
    return BadRequest(base::StrCat("attention_mask[", row, "]"), "leaves no tokens");
  }
  if (encoding->ids.size() > static_cast<std::size_t>(endpoint.max_tokens)) {
    return Fault{.kind = FaultKind::kTooLong,
                 .message = base::StrCat(encoding->ids.size(), " tokens are more than the model's ",
                                         endpoint.max_tokens),
                 .field = base::StrCat("input_ids[", row, "]")};
  }
  return {};
}

MaybeFault ReadTokenInputs(const InferRequest& request, const InferTensor& ids,
                           const Endpoint& endpoint, int max_texts,
                           std::vector<text::Encoding>* texts) {
  const InferTensor* mask = Find(request, "attention_mask");
  const InferTensor* types = Find(request, "token_type_ids");
  for (const InferTensor* tensor : {&ids, mask, types}) {
    if (tensor != nullptr) HONE_RETURN_IF_FAULT(CheckTokenShape(*tensor, ids, max_texts));
  }
  texts->resize(static_cast<std::size_t>(ids.shape[0]));
  for (std::size_t row = 0; row < texts->size(); ++row) {
    HONE_RETURN_IF_FAULT(ReadTokenRow(endpoint, ids, mask, types, row, &(*texts)[row]));
  }
  return {};
}

}  // namespace

std::string_view NameOf(TensorType type) {
  switch (type) {
    case TensorType::kBytes: return "BYTES";
    case TensorType::kFp32: return "FP32";
    case TensorType::kInt64: return "INT64";
    case TensorType::kInt32: return "INT32";
    case TensorType::kUint32: return "UINT32";
  }
  return "";
}

std::optional<TensorType> ParseTensorType(std::string_view name) {
  for (const TensorType type : {TensorType::kBytes, TensorType::kFp32, TensorType::kInt64,
                                TensorType::kInt32, TensorType::kUint32}) {
    if (NameOf(type) == name) return type;
  }
  return std::nullopt;
}

MaybeFault CountElements(std::string_view tensor, const std::vector<std::int64_t>& shape,
                         std::int64_t* count) {
  *count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0 || (size > 0 && *count > kMaxElements / size)) {
      return BadRequest(tensor, "the shape [", base::Join(shape, ","), "] is out of all limits");
    }
    *count *= size;
  }
  return {};
}

MaybeFault ReadRaw(std::string_view raw, InferTensor* tensor) {
  std::int64_t elements = 0;
  HONE_RETURN_IF_FAULT(CountElements(tensor->name, tensor->shape, &elements));
  const auto count = static_cast<std::size_t>(elements);
  if (tensor->type == TensorType::kBytes) {
    // An element takes at least its length, so that the count is bounded by the bytes.
    if (count > raw.size() / 4) {
      return BadRequest(tensor->name, raw.size(), " bytes do not hold ", count, " elements");
    }
    tensor->bytes.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t size = 0;
      if (raw.size() < 4) return BadRequest(tensor->name, "ends within element ", i);
      std::memcpy(&size, raw.data(), 4);
      raw.remove_prefix(4);
      if (size > raw.size()) return BadRequest(tensor->name, "ends within element ", i);
      tensor->bytes.emplace_back(raw.substr(0, size));
      raw.remove_prefix(size);
    }
    if (!raw.empty()) return BadRequest(tensor->name, "has ", raw.size(), " bytes too many");
    return {};
  }
  const std::size_t width = WidthOf(tensor->type);
  if (raw.size() != count * width) {
    return BadRequest(tensor->name, "has ", raw.size(), " bytes, and its shape wants ",
                      count * width);
  }
  const auto load = [&]<typename T>(T, auto* out) {
    out->reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      T value;
      std::memcpy(&value, raw.data() + i * sizeof(T), sizeof(T));
      out->push_back(value);
    }
  };
  switch (tensor->type) {
    case TensorType::kFp32: load(float{}, &tensor->floats); break;
    case TensorType::kInt64: load(std::int64_t{}, &tensor->ints); break;
    case TensorType::kInt32: load(std::int32_t{}, &tensor->ints); break;
    case TensorType::kUint32: load(std::uint32_t{}, &tensor->ints); break;
    case TensorType::kBytes: break;
  }
  return {};
}

std::string WriteRaw(const InferTensor& tensor) {
  std::string raw;
  const auto put = [&](const auto& value) {
    raw.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  switch (tensor.type) {
    case TensorType::kBytes:
      for (const std::string& element : tensor.bytes) {
        put(static_cast<std::uint32_t>(element.size()));
        raw += element;
      }
      break;
    case TensorType::kFp32:
      raw.assign(reinterpret_cast<const char*>(tensor.floats.data()), tensor.floats.size() * 4);
      break;
    case TensorType::kInt64:
      for (const std::int64_t value : tensor.ints) put(value);
      break;
    case TensorType::kInt32:
    case TensorType::kUint32:
      for (const std::int64_t value : tensor.ints) put(static_cast<std::int32_t>(value));
      break;
  }
  return raw;
}

MaybeFault SetTimeout(std::int64_t microseconds, const ServiceOptions& options,
                      InferRequest* request) {
  // 0 is the default, as Triton has it.
  if (microseconds < 0 || static_cast<double>(microseconds) > options.max_deadline_ms * 1e3) {
    return BadRequest("timeout", microseconds, " microseconds are not from 0 to ",
                      static_cast<std::int64_t>(options.max_deadline_ms * 1e3));
  }
  if (microseconds > 0) request->timeout_us = microseconds;
  return {};
}

MaybeFault SetPriority(std::int64_t priority, InferRequest* request) {
  switch (priority) {
    case 0:
    case 2: request->priority = scheduler::Priority::kNormal; return {};
    case 1: request->priority = scheduler::Priority::kHigh; return {};
    case 3: request->priority = scheduler::Priority::kLow; return {};
    default:
      return BadRequest("priority", priority,
                        " is not 1 (high), 2 (normal), 3 (low) or 0 (the default)");
  }
}

MaybeFault SetPriority(std::string_view priority, InferRequest* request) {
  if (priority == "high") return SetPriority(1, request);
  if (priority == "normal") return SetPriority(2, request);
  if (priority == "low") return SetPriority(3, request);
  return BadRequest("priority", "expected high, normal or low, found \"", priority.substr(0, 40),
                    "\"");
}

MaybeFault FillQuery(const InferRequest& request, const ServiceOptions& options, Query* query) {
  const Endpoint& endpoint = *query->endpoint;
  if (request.timeout_us) query->terms.deadline_ns = *request.timeout_us * base::kMicrosecondNs;
  query->terms.priority = request.priority;
  const std::vector<TensorInfo> known = InputsOf(endpoint);
  for (const InferTensor& input : request.inputs) {
    if (std::ranges::find(known, input.name, &TensorInfo::name) == known.end()) {
      return BadRequest(input.name, "is no input of \"", endpoint.name,
                        "\"; it takes text (and text_pair), or input_ids (and attention_mask, "
                        "token_type_ids)");
    }
    if (std::ranges::count(request.inputs, input.name, &InferTensor::name) > 1) {
      return BadRequest(input.name, "is given twice");
    }
  }
  const InferTensor* ids = Find(request, "input_ids");
  const InferTensor* text = Find(request, "text");
  if ((ids == nullptr) == (text == nullptr)) {
    return BadRequest("inputs", "either text or input_ids is wanted");
  }
  for (const InferTensor& input : request.inputs) {
    const bool of_text = input.name == "text" || input.name == "text_pair";
    if (of_text == (text != nullptr)) continue;
    return BadRequest(input.name, "is of no use beside ", text != nullptr ? "text" : "input_ids");
  }
  if (ids != nullptr) {
    return ReadTokenInputs(request, *ids, endpoint, options.max_texts, &query->texts);
  }
  std::vector<TextInput> inputs;
  HONE_RETURN_IF_FAULT(ReadTextInputs(request, *text, options.max_texts, &inputs));
  return EncodeAll(endpoint, inputs, {.allowed = request.truncate}, false, &query->texts);
}

namespace {

MaybeFault CheckVersion(std::string_view name, std::string_view version) {
  if (version.empty() || version == kModelVersion) return {};
  return NoSuch("version", "\"", name, "\" has the version ", kModelVersion, " and no \"",
                version.substr(0, 100), "\"");
}

}  // namespace

MaybeFault FindVersioned(const Service& service, const std::string& name, std::string_view version,
                         std::shared_ptr<const Endpoint>* endpoint) {
  *endpoint = service.Find(name);
  if (*endpoint == nullptr) return NoModel(service, name);
  return CheckVersion(name, version);
}

MaybeFault FindState(const Service& service, const std::string& name, std::string_view version,
                     ModelState* state) {
  const ServiceStatus status = service.Status();
  for (const ModelStatus& model : status.models) {
    if (model.endpoint->name != name) continue;
    *state = {.ready = model.ready, .reason = model.error};
    return CheckVersion(name, version);
  }
  return NoModel(service, name);
}

}  // namespace hone::server
