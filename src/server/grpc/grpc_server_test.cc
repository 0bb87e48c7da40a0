// KServe over gRPC, by a generated client over a real socket.
#include "server/grpc/grpc_server.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>

#include "server/grpc/test_grpc.h"

namespace hone::server {
namespace {

using testing::HasSubstr;

std::vector<float> Floats(const std::string& raw) {
  std::vector<float> values(raw.size() / 4);
  std::memcpy(values.data(), raw.data(), raw.size());
  return values;
}

TEST_F(GrpcTest, GivesTheModelsOwnBitsForTextsAndTokens) {
  Serve("bert/embed-mean");
  const std::vector<float> expected = Alone(service_->options().models[0].directory, "a b")[0];
  grpc::ClientContext context;
  inference::ModelInferResponse answer;
  grpc::Status status = stub_->ModelInfer(&context, TextRequest("a b"), &answer);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(answer.id(), "7");
  EXPECT_EQ(answer.parameters().at("hone_rung").string_param(), "model");
  EXPECT_EQ(answer.outputs(0).name(), "embedding");
  EXPECT_EQ(Floats(answer.raw_output_contents(0)), expected);

  // Two rows of raw tokens; the mask drops the padding.
  text::Encoding tokens;
  service_->Find("m")->tokenizer->Encode("a b", {}, &tokens);
  inference::ModelInferRequest request;
  request.set_model_name("m");
  std::vector<std::int64_t> ids, mask;
  for (int row = 0; row < 2; ++row) {
    for (const std::int32_t id : tokens.ids) {
      ids.push_back(id);
      mask.push_back(1);
    }
    ids.push_back(0);
    mask.push_back(0);
  }
  for (const auto& [name, values] : {std::pair{"input_ids", &ids}, {"attention_mask", &mask}}) {
    auto* input = request.add_inputs();
    input->set_name(name);
    input->set_datatype("INT64");
    input->add_shape(2);
    input->add_shape(static_cast<std::int64_t>(values->size() / 2));
    request.add_raw_input_contents(values->data(), values->size() * 8);
  }
  grpc::ClientContext second;
  answer.Clear();
  status = stub_->ModelInfer(&second, request, &answer);
  ASSERT_TRUE(status.ok()) << status.error_message();
  std::vector<float> twice = expected;
  twice.insert(twice.end(), expected.begin(), expected.end());
  EXPECT_EQ(Floats(answer.raw_output_contents(0)), twice);
}

TEST_F(GrpcTest, FaultsHaveTheirCodesAndNameTheField) {
  Serve("bert/ForSequenceClassification");
  const auto fails = [&](const inference::ModelInferRequest& request, int deadline_ms = 0) {
    grpc::ClientContext context;
    if (deadline_ms > 0) {
      context.set_deadline(std::chrono::system_clock::now() +
                           std::chrono::milliseconds(deadline_ms));
    }
    inference::ModelInferResponse answer;
    return stub_->ModelInfer(&context, request, &answer);
  };
  EXPECT_TRUE(fails(TextRequest("a"), 5000).ok());
  inference::ModelInferRequest request = TextRequest("a");
  request.set_model_name("x");
  EXPECT_EQ(fails(request).error_code(), grpc::StatusCode::NOT_FOUND);
  request = TextRequest("a");
  request.mutable_inputs(0)->set_shape(0, 2);
  EXPECT_EQ(fails(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(fails(request).error_message(), HasSubstr("its shape wants 2"));
  request = TextRequest("a");
  request.mutable_inputs(0)->set_datatype("FP16");
  EXPECT_THAT(fails(request).error_message(), HasSubstr("inputs[0].datatype"));
  request = TextRequest("a");
  (*request.mutable_parameters())["priority"].set_uint64_param(77);
  EXPECT_THAT(fails(request).error_message(), HasSubstr("priority"));
  request = TextRequest("a");
  request.add_outputs()->set_name("nothing");
  EXPECT_THAT(fails(request).error_message(), HasSubstr("it has logits, label, score"));
  request = TextRequest("a");
  for (int i = 0; i < 2; ++i) request.add_outputs()->set_name("label");
  EXPECT_THAT(fails(request).error_message(), HasSubstr("outputs: \"label\" is wanted twice"));
  request = TextRequest("a");
  (*request.mutable_parameters())["timeout"].set_int64_param(1);
  EXPECT_EQ(fails(request).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED)
      << "nobody can answer within a microsecond";
  request = TextRequest("a");
  request.add_raw_input_contents("x");
  request.add_raw_input_contents("y");
  EXPECT_THAT(fails(request).error_message(), HasSubstr("raw_input_contents"));
  request = TextRequest("a");
  request.add_raw_input_contents(std::string("\1\0\0\0b", 5));
  EXPECT_EQ(fails(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(fails(request).error_message(), HasSubstr("text: has contents beside"));
  request = TextRequest("a");
  request.mutable_inputs(0)->mutable_contents()->add_int64_contents(5);
  EXPECT_THAT(fails(request).error_message(),
              HasSubstr("text: has 1 elements that are not of its datatype, BYTES"));
  request = TextRequest("a");
  *request.add_inputs() = request.inputs(0);
  EXPECT_THAT(fails(request).error_message(), HasSubstr("text: is given twice"));
}

TEST_F(GrpcTest, KeysAreWanted) {
  Serve("bert/embed-mean", {.api_keys = {{"car", "secret"}}});
  grpc::ClientContext live;
  inference::ServerLiveResponse alive;
  EXPECT_TRUE(stub_->ServerLive(&live, {}, &alive).ok());
  EXPECT_TRUE(alive.live());
  inference::ModelInferResponse answer;
  grpc::ClientContext without;
  EXPECT_EQ(stub_->ModelInfer(&without, TextRequest("a"), &answer).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  grpc::ClientContext with;
  with.AddMetadata("authorization", "Bearer secret");
  EXPECT_TRUE(stub_->ModelInfer(&with, TextRequest("a"), &answer).ok());
}

TEST_F(GrpcTest, MetadataReadAsOneValueComesOnce) {
  Serve("bert/embed-mean");
  const auto send = [&](const char* name, int times) {
    grpc::ClientContext context;
    for (int i = 0; i < times; ++i) context.AddMetadata(name, "1000");
    context.AddMetadata("x-between", "1");
    inference::ModelInferResponse answer;
    return stub_->ModelInfer(&context, TextRequest("a"), &answer);
  };
  EXPECT_TRUE(send("x-hone-deadline-ms", 1).ok());
  EXPECT_TRUE(send("x-other", 2).ok());
  const grpc::Status twice = send("x-hone-deadline-ms", 2);
  EXPECT_EQ(twice.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(twice.error_message(), HasSubstr("x-hone-deadline-ms: is given twice"));
}

TEST_F(GrpcTest, TheRepositoryUnloadsAndLoads) {
  Serve("bert/embed-mean");
  const auto ready = [&] {
    grpc::ClientContext context;
    inference::ModelReadyRequest request;
    request.set_name("m");
    inference::ModelReadyResponse answer;
    EXPECT_TRUE(stub_->ModelReady(&context, request, &answer).ok());
    return answer.ready();
  };
  EXPECT_TRUE(ready());
  inference::RepositoryModelUnloadRequest unload;
  unload.set_model_name("m");
  inference::RepositoryModelUnloadResponse unloaded;
  grpc::ClientContext first;
  ASSERT_TRUE(stub_->RepositoryModelUnload(&first, unload, &unloaded).ok());
  EXPECT_FALSE(ready());
  inference::RepositoryModelLoadRequest load;
  load.set_model_name("m");
  inference::RepositoryModelLoadResponse loaded;
  grpc::ClientContext second;
  ASSERT_TRUE(stub_->RepositoryModelLoad(&second, load, &loaded).ok());
  EXPECT_TRUE(ready());
  load.set_model_name("x");
  grpc::ClientContext third;
  EXPECT_FALSE(stub_->RepositoryModelLoad(&third, load, &loaded).ok());
}

TEST_F(GrpcTest, APortInUseIsAnError) {
  Serve("bert/embed-mean");
  const auto second = GrpcServer::Start({.port = server_->port()}, *service_);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.status().message(), HasSubstr("cannot listen on 127.0.0.1:"));
}

}  // namespace
}  // namespace hone::server
