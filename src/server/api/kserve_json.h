// KServe v2's inference as JSON with the binary tensor data extension: pure functions, no service.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/kserve_infer.h"

namespace hone::server {

struct KserveHttpRequest {
  InferRequest infer;
  // How answers go out: as JSON, or as octets behind the JSON.
  bool binary_by_default = false;
  std::vector<bool> binary;  // of infer.outputs
};

// `json_bytes`: the header Inference-Header-Content-Length; without it the whole body is JSON.
MaybeFault ReadKserve(std::string_view body, std::optional<std::string_view> json_bytes,
                      const ServiceOptions& options, KserveHttpRequest* request);

struct KserveHttpAnswer {
  std::string body;
  std::size_t json_bytes = 0;  // of the body; tensors follow it
  bool binary = false;         // some do
};
KserveHttpAnswer WriteKserve(const KserveHttpRequest& request, const Endpoint& endpoint,
                             const Reply& reply);

}  // namespace hone::server
