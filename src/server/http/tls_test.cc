// HTTP over TLS, with certificates made here.
#include "server/http/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <fstream>

#include "server/http/http_server.h"
#include "server/http/test_client.h"

namespace hone::server {
namespace {

using testing::HasSubstr;

// A self-signed certificate for "localhost", its key, and both as PEM files.
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

  EVP_PKEY* key;
  X509* certificate;
  std::string cert_path, key_path;
};

// Asks once over TLS; empty where the handshake or the exchange fails.
std::string Ask(int port, const Identity& trusted, const Identity* own, int max_version,
                std::string_view request) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), trusted.certificate);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), max_version);
  SSL_CTX_set_security_level(context.get(), 0);  // so that TLS 1.1 is offered at all
  if (own != nullptr) {
    SSL_CTX_use_certificate(context.get(), own->certificate);
    SSL_CTX_use_PrivateKey(context.get(), own->key);
  }
  TestClient client(port);
  const SslSession ssl(SSL_new(context.get()));
  SSL_set_fd(ssl.get(), client.socket_number());
  if (SSL_connect(ssl.get()) != 1) return "";
  if (SSL_write(ssl.get(), request.data(), static_cast<int>(request.size())) <= 0) return "";
  std::string all;
  char bytes[4096];
  for (int size; (size = SSL_read(ssl.get(), bytes, sizeof bytes)) > 0;) {
    all.append(bytes, static_cast<std::size_t>(size));
  }
  return all;
}

constexpr std::string_view kGet = "GET /tls HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

class TlsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    server_identity = new Identity("hone_tls_server");
    client_identity = new Identity("hone_tls_client");
  }
  static void TearDownTestSuite() {
    delete server_identity;
    delete client_identity;
  }
  void Serve(const std::string& client_ca) {
    auto server = HttpServer::Start(
        {.port = 0,
         .tls_cert = server_identity->cert_path,
         .tls_key = server_identity->key_path,
         .client_ca = client_ca},
        [](HttpRequest request, Respond respond) {
          const std::size_t size = request.path == "/large" ? 3'000'000 : 10;
          respond(HttpResponse{.body = request.path + std::string(size, 'x') + request.body});
          return CancelRequest();
        });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = std::move(*server);
  }
  std::string AskServer(const Identity* own, int version = TLS1_3_VERSION,
                        std::string_view request = kGet) {
    return Ask(server_->port(), *server_identity, own, version, request);
  }

  inline static Identity *server_identity, *client_identity;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(TlsTest, AnswersOverTls12And13AndNothingOlder) {
  Serve("");
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const std::string answer = AskServer(nullptr, version);
    EXPECT_THAT(answer, testing::StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n/tlsxxxxxxxxxx"));
  }
  EXPECT_EQ(AskServer(nullptr, TLS1_1_VERSION), "");
}

TEST_F(TlsTest, CarriesLargeBodiesAndPipelinedRequestsBothWays) {
  Serve("");
  const std::string body(500'000, 'b');
  const std::string post = "POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n";
  const std::string answer = AskServer(
      nullptr, TLS1_3_VERSION, post + "\r\n" + body + post + "Connection: close\r\n\r\n" + body);
  EXPECT_GT(answer.size(), std::size_t{2} * 3'500'000);
  EXPECT_THAT(answer, testing::EndsWith("xxxbbb" + std::string(499'997, 'b')));
}

TEST_F(TlsTest, AsksClientsForACertificateOfTheirCa) {
  Serve(client_identity->cert_path);
  EXPECT_THAT(AskServer(client_identity), HasSubstr("200 OK"));
  EXPECT_EQ(AskServer(nullptr), "");
  EXPECT_EQ(AskServer(server_identity), "");
}

TEST_F(TlsTest, PlainBytesAndEndlessHandshakesEndTheConnectionAlone) {
  Serve("");
  TestClient plain(server_->port());
  plain.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  plain.EndSending();
  plain.Receive();
  EXPECT_TRUE(plain.Ended());
  TestClient silent(server_->port());
  EXPECT_THAT(AskServer(nullptr), HasSubstr("200 OK"));
}

TEST_F(TlsTest, ErrorsNameTheFile) {
  const auto create = [](const std::string& cert, const std::string& key, const std::string& ca) {
    return std::string(TlsContext::Create(cert, key, ca).status().message());
  };
  const std::string junk = testing::TempDir() + "/hone_tls_junk";
  std::ofstream(junk) << "junk";
  const std::string cert = server_identity->cert_path, key = server_identity->key_path;
  EXPECT_EQ(create(cert, key, ""), "");
  EXPECT_THAT(create(junk, key, ""), HasSubstr(junk));
  EXPECT_THAT(create(cert, junk, ""), HasSubstr(junk));
  EXPECT_THAT(create(cert, client_identity->key_path, ""), HasSubstr(client_identity->key_path));
  EXPECT_THAT(create(cert, key, junk), HasSubstr(junk));
  EXPECT_THAT(create(cert, key, "/no/such/ca"), HasSubstr("/no/such/ca"));
}

}  // namespace
}  // namespace hone::server
