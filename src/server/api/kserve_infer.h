// KServe v2 inference in neutral words, for REST and gRPC alike.
//
// Inputs    "text" BYTES [B] (or [B,1]) and, for pairs, "text_pair" of the same shape; or token ids:
//           "input_ids" [B,T] INT64, INT32 or UINT32 and, of the same shape, "attention_mask" (1 keeps
//           a token, 0 drops it) and "token_type_ids".
// Outputs   of a row a text   NAME FP32 [B,width]           "embedding", "logits", "intent"
//           of a row a token  NAME FP32 [B,T,width], zeros after a shorter text; "lengths" INT32 [B]
//           of a row a mask   NAME FP32 [masks,width]; "masks" INT32 [B] counts each text's
//           classifiers       "label" BYTES [B], "score" FP32 [B]: the best label
//           token classifiers "labels" BYTES [B,T], empty after a shorter text
//           joint             "intent_label" BYTES [B], "slot_labels" BYTES [B,T]
// Terms     parameter `timeout`: microseconds, as Triton has it; `priority`: 1 high, 2 normal, 3 low,
//           0 the default, as Triton's (lower is more urgent), or "high", "normal", "low".
//           `truncate` (boolean): cut texts that are too long rather than refuse them.
//
// Sources  github.com/kserve/open-inference-protocol; triton-inference-server/server docs/protocol.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/fault.h"
#include "server/query.h"
#include "server/service.h"

namespace hone::server {

enum class TensorType : std::uint8_t { kBytes, kFp32, kInt64, kInt32, kUint32 };
// "BYTES", "FP32" …
std::string_view NameOf(TensorType type);
std::optional<TensorType> ParseTensorType(std::string_view name);

struct InferTensor {
  std::string name;
  TensorType type = TensorType::kBytes;
  std::vector<std::int64_t> shape;
  // One of these, by type: bytes; floats; integers of every width.
  std::vector<std::string> bytes = {};
  std::vector<float> floats = {};
  std::vector<std::int64_t> ints = {};
};

// Elements of a shape; a fault for negative or absurd ones.
MaybeFault CountElements(std::string_view tensor, const std::vector<std::int64_t>& shape,
                         std::int64_t* count);
// The raw form: little-endian elements; of BYTES each behind its length in four bytes. The shape and
// type are set; a fault where the bytes are of another length.
MaybeFault ReadRaw(std::string_view raw, InferTensor* tensor);
std::string WriteRaw(const InferTensor& tensor);

struct InferRequest {
  std::string model, version, id;
  std::vector<InferTensor> inputs;
  std::vector<std::string> outputs;  // wanted; empty: all
  std::optional<std::int64_t> timeout_us;
  scheduler::Priority priority = scheduler::Priority::kNormal;
  bool truncate = false;
};

// Parameters of both fronts. A `priority` beyond 3 is a fault.
MaybeFault SetTimeout(std::int64_t microseconds, const ServiceOptions& options,
                      InferRequest* request);
MaybeFault SetPriority(std::int64_t priority, InferRequest* request);
MaybeFault SetPriority(std::string_view priority, InferRequest* request);

// Texts and terms of the query, whose endpoint is set.
MaybeFault FillQuery(const InferRequest& request, const ServiceOptions& options, Query* query);

struct TensorInfo {
  std::string name;
  TensorType type = TensorType::kBytes;
  std::vector<std::int64_t> shape;  // -1: any
};
std::vector<TensorInfo> InputsOf(const Endpoint& endpoint);
std::vector<TensorInfo> OutputsOf(const Endpoint& endpoint);
// A fault where a wanted output is none of the endpoint's.
MaybeFault CheckOutputs(const InferRequest& request, const Endpoint& endpoint);

// The wanted outputs, in the order in which they were wanted.
std::vector<InferTensor> OutputTensors(const InferRequest& request, const Endpoint& endpoint,
                                       const std::vector<TextResult>& results);

// A model has one version: "1". Empty is any.
inline constexpr std::string_view kModelVersion = "1";
MaybeFault FindVersioned(const Service& service, const std::string& name, std::string_view version,
                         std::shared_ptr<const Endpoint>* endpoint);

// Whether a model of the configuration can answer, and why not. A model that was unloaded, or failed to
// load, is known and not ready.
struct ModelState {
  bool ready = false;
  std::string reason;
};
MaybeFault FindState(const Service& service, const std::string& name, std::string_view version,
                     ModelState* state);

}  // namespace hone::server
