// Any bytes as KServe's ModelInferRequest: no message, a fault that says something, or a request whose tensors
// have as many elements as their shapes say, and are the same when written raw and read again.
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/check.h"
#include "kserve.pb.h"
#include "server/api/kserve_invariant.h"
#include "server/grpc/infer_messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hone::server;
  inference::ModelInferRequest message;
  if (size > std::numeric_limits<int>::max() ||
      !message.ParseFromArray(data, static_cast<int>(size))) {
    return 0;
  }
  InferRequest request;
  if (const MaybeFault fault = ReadMessage(message, ServiceOptions{}, &request)) {
    HONE_CHECK(!fault->message.empty());
    return 0;
  }
  HONE_CHECK(!request.inputs.empty() && request.inputs.size() <= 16);
  HONE_CHECK(!request.timeout_us || *request.timeout_us > 0);
  for (const InferTensor& tensor : request.inputs) CheckTensor(tensor);
  return 0;
}
