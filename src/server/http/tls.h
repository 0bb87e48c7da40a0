// TLS for the HTTP front: certificates read once, by OpenSSL.
//
// TLS 1.2 or newer; renegotiation and compression are off. Buffers are given back between records
// (SSL_MODE_RELEASE_BUFFERS), so that an idle connection holds its session and no more.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"

struct ssl_ctx_st;
struct ssl_st;

namespace hone::server {

// OpenSSL's SSL, freed by SSL_free.
struct SslFree {
  void operator()(ssl_st* ssl) const;
};
using SslSession = std::unique_ptr<ssl_st, SslFree>;

class TlsContext {
 public:
  // PEM files. `client_ca`: clients must show a certificate that it signed; may be empty. An error
  // names the file. Makes this process ignore SIGPIPE, which OpenSSL's writes would raise.
  static base::StatusOr<std::unique_ptr<TlsContext>> Create(const std::string& certificate,
                                                            const std::string& key,
                                                            const std::string& client_ca);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // The server's side of a session over a connected, non-blocking socket, which it does not own. Null
  // where memory ran out.
  SslSession Accept(int socket) const;

 private:
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

}  // namespace hone::server
