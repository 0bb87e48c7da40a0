// KServe v2 over gRPC: a front of the service beside HTTP. gRPC and protobuf stay in the .cc files.
//
// Threads   gRPC's own; they tokenize and write. Computing is the executors'.
// Terms     the call's deadline (the shorter of it and the parameter `timeout`), the parameter
//           `priority`, or the metadata x-hone-deadline-ms and x-hone-priority. A cancelled call,
//           or one whose client is gone, stops costing.
// Keys      as HTTP has them, in the metadata `authorization: Bearer KEY`, `api-key` or
//           `x-api-key`; ServerLive and ServerReady need none.
// Faults    INVALID_ARGUMENT, NOT_FOUND, UNAUTHENTICATED; RESOURCE_EXHAUSTED for what is refused,
//           with the trailing metadata hone-retry-ms; UNAVAILABLE; DEADLINE_EXCEEDED for what is
//           late.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "server/service.h"

namespace hone::server {

struct GrpcOptions {
  std::string host = "127.0.0.1";
  int port = 8081;  // 0: any free one
  // (tenant, key); empty: everybody may ask.
  std::vector<std::pair<std::string, std::string>> api_keys = {};
  // PEM files; client_ca: clients must show a certificate.
  std::string tls_cert = {}, tls_key = {}, client_ca = {};
  int max_message_bytes = 16 << 20;
  std::uint64_t max_held_bytes = 256 << 20;  // of all connections together
};

class GrpcServer {
 public:
  virtual ~GrpcServer() = default;  // Stop, at once

  // Listens when it returns. Errors name the address or the file. `service` outlives the server.
  static base::StatusOr<std::unique_ptr<GrpcServer>> Start(const GrpcOptions& options,
                                                           Service& service);

  virtual int port() const = 0;
  // Takes no new calls, lets those under way out for so long, then cancels them. Once.
  virtual void Stop(double seconds) = 0;
};

}  // namespace hone::server
