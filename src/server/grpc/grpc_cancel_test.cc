// Calls over gRPC whose client cancels, runs out of time, goes away, or is sent away.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <thread>

#include "server/grpc/test_grpc.h"
#include "server/http/test_client.h"

namespace hone::server {
namespace {

using grpc::StatusCode;
using std::chrono::milliseconds;

class GrpcCancelTest : public GrpcTest {
 protected:
  // A call under way.
  struct Call {
    grpc::ClientContext context;
    inference::ModelInferRequest request = TextRequest("a b");
    inference::ModelInferResponse answer;
    std::promise<grpc::Status> ended;

    StatusCode Wait() { return ended.get_future().get().error_code(); }
  };
  void Begin(Call* call) {
    stub_->async()->ModelInfer(
        &call->context, &call->request, &call->answer,
        [call](const grpc::Status& status) { call->ended.set_value(status); });
  }

  // What the server sees of a client comes when it comes; 30 s is longer than any busy machine takes.
  void WaitFor(const std::function<bool(const ServiceStatus&)>& come) {
    for (int i = 0; i < 30'000 && !come(service_->Status()); ++i) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    EXPECT_TRUE(come(service_->Status()));
  }
  void WaitForQueued(int count) {
    WaitFor([count](const ServiceStatus& status) { return status.queued == count; });
  }
  Query HoldQuery() const { return Ask(service_->Find("m"), {"a"}); }
};

TEST_F(GrpcCancelTest, CancelledCallsCostNothingAndAreCounted) {
  Serve("bert/embed-mean");
  Call stays, first, second;
  {
    Hold hold(*service_, HoldQuery());
    for (Call* call : {&stays, &first, &second}) Begin(call);
    WaitForQueued(3);
    first.context.TryCancel();
    second.context.TryCancel();
    EXPECT_EQ(first.Wait(), StatusCode::CANCELLED);
    EXPECT_EQ(second.Wait(), StatusCode::CANCELLED);
    WaitForQueued(1);
    EXPECT_EQ(service_->Status().counters.cancelled, 2);
  }
  EXPECT_EQ(stays.Wait(), StatusCode::OK);
  EXPECT_EQ(service_->Status().counters.texts, 2) << "the one that held and the one that stayed";
}

TEST_F(GrpcCancelTest, ADeadlineThatPassesEndsTheCallWhileItsTurnHasNotCome) {
  Serve("bert/embed-mean");
  Hold hold(*service_, HoldQuery());
  // A machine that stood still for the whole time has refused it: then once more.
  do {
    Call call;
    call.context.set_deadline(std::chrono::system_clock::now() + milliseconds(300));
    Begin(&call);
    EXPECT_EQ(call.Wait(), StatusCode::DEADLINE_EXCEEDED);
    WaitForQueued(0);
  } while (!HasFailure() && service_->Status().counters.accepted < 2);
  // The client gives up at the very moment at which the promise is broken: either may be seen first.
  const Counters counters = service_->Status().counters;
  EXPECT_EQ(counters.cancelled + counters.missed, 1);
}

// The bytes of one call as HTTP/2 has them, so that a client can die in the middle of it.
std::string RawCall(const std::string& message) {
  const auto big_endian = [](std::size_t value, int bytes) {
    std::string text;
    for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xFF);
    return text;
  };
  const auto frame = [&](char type, char flags, std::size_t stream, const std::string& payload) {
    return big_endian(payload.size(), 3) + type + flags + big_endian(stream, 4) + payload;
  };
  constexpr char kData = 0, kHeaders = 1, kSettings = 4, kEndStream = 1, kEndHeaders = 4;
  std::string headers;
  for (const std::pair<std::string, std::string>& header :
       {std::pair<std::string, std::string>{":method", "POST"},
        {":scheme", "http"},
        {":path", "/inference.GRPCInferenceService/ModelInfer"},
        {":authority", "localhost"},
        {"te", "trailers"},
        {"content-type", "application/grpc"}}) {
    // A literal field that enters no table, with a new name (RFC 7541, 6.2.2); lengths below 127.
    headers += '\0' + big_endian(header.first.size(), 1) + header.first +
               big_endian(header.second.size(), 1) + header.second;
  }
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(kSettings, 0, 0, "") +
         frame(kHeaders, kEndHeaders, 1, headers) +
         frame(kData, kEndStream, 1, '\0' + big_endian(message.size(), 4) + message);
}

TEST_F(GrpcCancelTest, AClientThatIsGoneCostsNothing) {
  Serve("bert/embed-mean");
  Hold hold(*service_, HoldQuery());
  const std::string bytes = RawCall(TextRequest("a b").SerializeAsString());
  TestClient closes(server_->port()), resets(server_->port()), stays(server_->port());
  for (TestClient* client : {&closes, &resets, &stays}) client->Send(bytes);
  WaitForQueued(3);
  closes.Close();
  resets.Reset();
  WaitForQueued(1);
  EXPECT_EQ(service_->Status().counters.cancelled, 2);
  hold.Release();
  WaitFor([](const ServiceStatus& status) { return status.counters.answered == 2; });
}

TEST_F(GrpcCancelTest, StoppingCancelsWhatIsUnderWay) {
  Serve("bert/embed-mean");
  Hold hold(*service_, HoldQuery());
  Call call;
  Begin(&call);
  WaitForQueued(1);
  server_->Stop(0);
  EXPECT_NE(call.Wait(), StatusCode::OK);
  EXPECT_EQ(service_->Status().queued, 0);
  EXPECT_EQ(service_->Status().counters.cancelled, 1);
}

}  // namespace
}  // namespace hone::server
