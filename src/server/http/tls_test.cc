// HTTP over TLS, with certificates made here.
#include "server/http/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>
#include <utility>

#include "server/http/http_server.h"
#include "server/http/test_tls.h"

namespace hone::server {
namespace {

using testing::HasSubstr;

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
  void Serve(const std::string& client_ca, double read_timeout_s = 30) {
    auto server = HttpServer::Start(
        {.port = 0,
         .read_timeout_s = read_timeout_s,
         .tls_cert = server_identity->cert_path,
         .tls_key = server_identity->key_path,
         .client_ca = client_ca},
        [this](const HttpRequest& request, const Respond& respond) {
          const bool aside = request.path == "/aside";
          const std::size_t size = aside || request.path == "/large" ? 3'000'000 : 10;
          HttpResponse response{.body = request.path + std::string(size, 'x') + request.body,
                                .at_once = aside};
          if (aside) {
            executor_ = std::jthread([respond, response] { respond(response); });
          } else {
            respond(std::move(response));
          }
          return CancelRequest();
        });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = std::move(*server);
  }
  std::string AskServer(const Identity* own, int version = TLS1_3_VERSION,
                        std::string_view request = kGet) {
    return TlsTestClient(server_->port(), *server_identity, own, version).Ask(request);
  }

  inline static Identity *server_identity, *client_identity;
  std::unique_ptr<HttpServer> server_;
  std::jthread executor_;
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

TEST_F(TlsTest, AnswersThatAnotherThreadSends) {
  Serve("");
  const std::string get = "GET /aside HTTP/1.1\r\nHost: h\r\n";
  const std::string answer =
      AskServer(nullptr, TLS1_3_VERSION, get + "\r\n" + get + "Connection: close\r\n\r\n");
  EXPECT_GT(answer.size(), std::size_t{2} * 3'000'000);
  EXPECT_THAT(answer, testing::EndsWith("xxx"));
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
  Serve("", 0.2);
  TestClient plain(server_->port());
  plain.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  plain.EndSending();
  plain.Receive();
  EXPECT_TRUE(plain.Ended());
  TestClient silent(server_->port());
  EXPECT_TRUE(silent.Ended());
  Serve("");
  EXPECT_THAT(AskServer(nullptr), HasSubstr("200 OK"));
}

TEST_F(TlsTest, ErrorsNameTheFile) {
  const auto create = [](const std::string& cert, const std::string& key, const std::string& ca) {
    return TlsContext::Create(cert, key, ca).status().message();
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
  EXPECT_THAT(create("/no/such/cert", key, ""), HasSubstr("/no/such/cert: cannot open"));
}

}  // namespace
}  // namespace hone::server
