// HTTP/1.1 over TCP or TLS: connections in, one HttpHandler behind. Asio and Beast stay in the .cc files.
//
// Threads   `io_threads` (one is enough: it parses, tokenizes and writes; computing is elsewhere). Who brings an
//           answer with HttpResponse::at_once may send it.
// Limits    header, body, all bodies together, connections, time for a request to arrive, idle time: all
//           in HttpOptions; each has its own status (431, 413, 503, 503, 408). An
//           idle connection holds no buffer.
// Life      keep-alive and pipelining as HTTP/1.1 has them; a client that closes while it waits is
//           noticed, and its request cancelled. HEAD is answered as GET without the body, OPTIONS * by the
//           front. Stop() takes no new connections, lets answers under way out, and closes what is left
//           after its time.
// Keys      with API keys every route but those of health and the page at / wants `Authorization: Bearer KEY` (or
//           `api-key`, `x-api-key`); comparison takes the same time whatever is wrong.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "server/http/message.h"

namespace hone::server {

struct HttpOptions {
  std::string host = "127.0.0.1";
  int port = 8080;  // 0: any free one
  int io_threads = 1;
  std::uint64_t max_body_bytes = 16 << 20;
  std::uint32_t max_header_bytes = 16 << 10;
  std::uint64_t max_held_bytes = 256 << 20;  // bodies of all connections together; beyond it 503
  int max_connections = 16384;
  double read_timeout_s = 30;   // from a request's first byte to its last
  double idle_timeout_s = 600;  // between requests
  // PEM files, certificate and key or neither; client_ca: clients must show a certificate it signed.
  std::string tls_cert = {}, tls_key = {}, client_ca = {};
  // (tenant, key); empty: everybody may ask.
  std::vector<std::pair<std::string, std::string>> api_keys = {};
  // How the protocol of a path words a refusal of the front's own; ErrorResponse where there is none. The path
  // is empty where it was not read.
  RefusalWriter refusal = {};
};

// What a front did, for /metrics.
struct HttpCounters {
  std::int64_t connections = 0, open = 0, requests = 0, rejected = 0;
  std::int64_t bytes_in = 0, bytes_out = 0;
};

// Prometheus' text format.
std::string PrometheusText(const HttpCounters& counters);

// Whether the files of the options' TLS can be used, as Start would say.
base::Status CheckTls(const HttpOptions& options);

class HttpServer {
 public:
  virtual ~HttpServer() = default;  // Stop, then join

  // Listens when it returns. Errors name the address or the file.
  static base::StatusOr<std::unique_ptr<HttpServer>> Start(const HttpOptions& options,
                                                           HttpHandler handler);

  virtual int port() const = 0;
  virtual HttpCounters counters() const = 0;
  virtual void Stop(double seconds) = 0;
};

// Lines `name:key` or `key` (its tenant is then "key-<line>"); blank lines and # comments. `path` names the
// file in errors.
base::StatusOr<std::vector<std::pair<std::string, std::string>>> ParseApiKeys(
    std::string_view text, const std::string& path);

}  // namespace hone::server
