// ModelInfer's messages, to and from the words that REST uses too.
#pragma once

#include "server/api/kserve_infer.h"

namespace inference {
class ModelInferRequest;
class ModelInferResponse;
}  // namespace inference

namespace hone::server {

// Inputs come in `contents` or, all of them, in raw_input_contents.
MaybeFault ReadMessage(const inference::ModelInferRequest& message, const ServiceOptions& options,
                       InferRequest* request);

// Outputs go out raw, as Triton's do: its clients read nothing else by default.
void WriteMessage(const InferRequest& request, const Endpoint& endpoint, const Reply& reply,
                  inference::ModelInferResponse* message);

}  // namespace hone::server
