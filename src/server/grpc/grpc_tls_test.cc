// KServe's gRPC over TLS, with certificates made here.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "server/grpc/test_grpc.h"
#include "server/http/test_tls.h"

namespace hone::server {
namespace {

using grpc::StatusCode;
using testing::HasSubstr;

class GrpcTlsTest : public GrpcTest {
 protected:
  static void SetUpTestSuite() {
    server_identity = new Identity("hone_grpc_server");
    client_identity = new Identity("hone_grpc_client");
  }
  static void TearDownTestSuite() {
    delete server_identity;
    delete client_identity;
  }

  void ServeTls(const std::string& client_ca) {
    Serve("bert/embed-mean", {.tls_cert = server_identity->cert_path,
                              .tls_key = server_identity->key_path,
                              .client_ca = client_ca});
  }

  static std::string Text(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }

  // Asks with a client that trusts the one certificate and may show one of its own.
  StatusCode Ask(const Identity& trusted, const Identity* own) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = Text(trusted.cert_path);
    if (own != nullptr) {
      options.pem_private_key = Text(own->key_path);
      options.pem_cert_chain = Text(own->cert_path);
    }
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride("hone_grpc_server");
    return Ask(*Connect(grpc::SslCredentials(options), arguments));
  }
  static StatusCode Ask(Stub& stub) {
    grpc::ClientContext context;
    inference::ModelInferResponse answer;
    const grpc::Status status = stub.ModelInfer(&context, TextRequest("a b"), &answer);
    EXPECT_EQ(answer.outputs_size(), status.ok() ? 1 : 0);
    return status.error_code();
  }

  inline static Identity *server_identity, *client_identity;
};

TEST_F(GrpcTlsTest, AnswersWhoTrustsItsCertificate) {
  ServeTls("");
  EXPECT_EQ(Ask(*server_identity, nullptr), StatusCode::OK);
  EXPECT_EQ(Ask(*client_identity, nullptr), StatusCode::UNAVAILABLE) << "another's certificate";
  EXPECT_EQ(Ask(*stub_), StatusCode::UNAVAILABLE) << "plain bytes";
  EXPECT_EQ(service_->Status().counters.accepted, 1);
}

TEST_F(GrpcTlsTest, SpeaksTls12And13AndNothingOlder) {
  ServeTls("");
  const auto connects = [this](int version) {
    return TlsTestClient(server_->port(), *server_identity, nullptr, version).connected();
  };
  EXPECT_TRUE(connects(TLS1_3_VERSION));
  EXPECT_TRUE(connects(TLS1_2_VERSION));
  EXPECT_FALSE(connects(TLS1_1_VERSION));
}

TEST_F(GrpcTlsTest, AsksClientsForACertificateOfTheirCa) {
  ServeTls(client_identity->cert_path);
  EXPECT_EQ(Ask(*server_identity, client_identity), StatusCode::OK);
  EXPECT_EQ(Ask(*server_identity, nullptr), StatusCode::UNAVAILABLE);
  EXPECT_EQ(Ask(*server_identity, server_identity), StatusCode::UNAVAILABLE);
  EXPECT_EQ(service_->Status().counters.accepted, 1);
}

TEST_F(GrpcTlsTest, ErrorsNameTheFile) {
  Serve("bert/embed-mean");
  const auto start = [this](const std::string& cert, const std::string& key,
                            const std::string& ca) {
    const auto server = GrpcServer::Start(
        {.port = 0, .tls_cert = cert, .tls_key = key, .client_ca = ca}, *service_);
    return server.status().message();
  };
  const std::string cert = server_identity->cert_path, key = server_identity->key_path;
  Put("junk", "junk");
  Put("half", "-----BEGIN CERTIFICATE-----\nMIIB");
  EXPECT_EQ(start(cert, key, ""), "");
  for (const std::string& bad : {Path("junk"), Path("half"), Path("none")}) {
    EXPECT_THAT(start(bad, key, ""), HasSubstr(bad));
    EXPECT_THAT(start(cert, bad, ""), HasSubstr(bad));
    EXPECT_THAT(start(cert, key, bad), HasSubstr(bad));
  }
  EXPECT_THAT(start(cert, client_identity->key_path, ""), HasSubstr(client_identity->key_path));
}

}  // namespace
}  // namespace hone::server
