// A service of one tiny model "m" with one executor behind gRPC, and a generated client.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "kserve.grpc.pb.h"
#include "server/grpc/grpc_server.h"
#include "server/test_models.h"

namespace hone::server {

class GrpcTest : public ServiceTest {
 protected:
  using Stub = inference::GRPCInferenceService::Stub;

  void Serve(const std::string& model, GrpcOptions grpc_options = {}) {
    ServiceOptions options;
    options.threads = 1;
    options.models = {{.name = "m", .directory = TinyModel(model, "d")}};
    service_ = Start(options);
    ASSERT_TRUE(service_);
    grpc_options.port = 0;
    auto server = GrpcServer::Start(grpc_options, *service_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = Connect(grpc::InsecureChannelCredentials());
  }
  void TearDown() override {
    stub_.reset();
    server_.reset();
    service_.reset();
    ServiceTest::TearDown();
  }

  std::unique_ptr<Stub> Connect(const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                                const grpc::ChannelArguments& arguments = {}) const {
    return inference::GRPCInferenceService::NewStub(grpc::CreateCustomChannel(
        base::StrCat("127.0.0.1:", server_->port()), credentials, arguments));
  }

  static inference::ModelInferRequest TextRequest(const std::string& text) {
    inference::ModelInferRequest request;
    request.set_model_name("m");
    request.set_id("7");
    auto* input = request.add_inputs();
    input->set_name("text");
    input->set_datatype("BYTES");
    input->add_shape(1);
    input->mutable_contents()->add_bytes_contents(text);
    return request;
  }

  std::unique_ptr<Service> service_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<Stub> stub_;
};

}  // namespace hone::server
