// What the tests of both fronts need to speak TLS: certificates made on the spot, and a client of raw bytes.
#pragma once

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "server/http/test_client.h"
#include "server/http/tls.h"

namespace hone::server {

// A self-signed certificate for the name, its key, and both as PEM files.
struct Identity {
  explicit Identity(const std::string& name)
      : key(EVP_EC_gen("P-256")),
        certificate(X509_new()),
        cert_path(testing::TempDir() + "/" + name + ".crt"),
        key_path(testing::TempDir() + "/" + name + ".key") {
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_sign(certificate, key, EVP_sha256());
    FILE* file = std::fopen(cert_path.c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
    file = std::fopen(key_path.c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
  }
  ~Identity() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  EVP_PKEY* key;
  X509* certificate;
  std::string cert_path, key_path;
};

class TlsTestClient {
 public:
  // Trusts the one certificate, and shows its own where it is asked for one.
  TlsTestClient(int port, const Identity& trusted, const Identity* own, int max_version)
      : context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free), client_(port) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), trusted.certificate);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), max_version);
    SSL_CTX_set_security_level(context_.get(), 0);  // so that TLS 1.1 is offered at all
    if (own != nullptr) {
      SSL_CTX_use_certificate(context_.get(), own->certificate);
      SSL_CTX_use_PrivateKey(context_.get(), own->key);
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), client_.socket_number());
    connected_ = SSL_connect(ssl_.get()) == 1;
  }

  // Whether the handshake succeeded. In TLS 1.3 the server judges our certificate only after it.
  bool connected() const { return connected_; }

  // Sends, and returns all that comes until the end; empty where the connection fails.
  std::string Ask(std::string_view request) {
    if (!connected_) return "";
    if (SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size())) <= 0) return "";
    std::string all;
    char bytes[4096];
    for (int size; (size = SSL_read(ssl_.get(), bytes, sizeof bytes)) > 0;) {
      all.append(bytes, static_cast<std::size_t>(size));
    }
    return all;
  }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  TestClient client_;
  SslSession ssl_;
  bool connected_ = false;
};

}  // namespace hone::server
