#include "server/http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string_view>

#include "env/file.h"
#include "env/stop_signal.h"

namespace hone::server {
namespace {

// The newest reason in OpenSSL's queue, which is emptied.
std::string Why() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "OpenSSL gives no reason" : reason;
}

int ChooseProtocol(SSL*, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char kHttp[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kHttp, sizeof kHttp - 1, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// Nobody is asked for a pass phrase.
int NoPassPhrase(char*, int, int, void*) {
  return 0;
}

// An error where a file cannot be read at all, in better words than OpenSSL's.
base::Status CanBeRead(const std::string& path) {
  constexpr std::uint64_t kMostBytes = 1 << 20;
  return env::RealFileSystem().Read(path, kMostBytes).status();
}

base::Status UseClientCa(SSL_CTX* context, const std::string& path) {
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(path.c_str());
  if (names == nullptr || SSL_CTX_load_verify_locations(context, path.c_str(), nullptr) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return base::BadInput(path, ": no CA certificate in PEM form can be read: ", Why());
  }
  SSL_CTX_set_client_CA_list(context, names);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return base::OkStatus();
}

}  // namespace

void SslFree::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

base::StatusOr<std::unique_ptr<TlsContext>> TlsContext::Create(const std::string& certificate,
                                                               const std::string& key,
                                                               const std::string& client_ca) {
  ERR_clear_error();
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) return base::OutOfResource("OpenSSL cannot start: ", Why());
  std::unique_ptr<TlsContext> tls(new TlsContext(context));
  env::OutliveReaders();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  constexpr std::string_view kSessions = "hone";
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(kSessions.data()),
                                 static_cast<unsigned>(kSessions.size()));
  SSL_CTX_set_alpn_select_cb(context, ChooseProtocol, nullptr);
  SSL_CTX_set_default_passwd_cb(context, NoPassPhrase);
  for (const std::string& path : {certificate, key, client_ca}) {
    if (!path.empty()) HONE_RETURN_IF_ERROR(CanBeRead(path));
  }
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return base::BadInput(certificate, ": no certificate in PEM form can be read: ", Why());
  }
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return base::BadInput(key, ": no key in PEM form that fits ", certificate,
                          " can be read (one with a pass phrase cannot): ", Why());
  }
  if (!client_ca.empty()) HONE_RETURN_IF_ERROR(UseClientCa(context, client_ca));
  return tls;
}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

SslSession TlsContext::Accept(int socket) const {
  SslSession session(SSL_new(context_));
  if (session == nullptr || SSL_set_fd(session.get(), socket) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  SSL_set_accept_state(session.get());
  return session;
}

}  // namespace hone::server
