// The HTTP front as clients meet it: raw bytes over loopback.
#include "server/http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>

#include "base/json.h"
#include "base/strings.h"
#include "server/http/test_client.h"

namespace hone::server {
namespace {

using testing::HasSubstr;

// "/echo" says what arrived, "/wait" answers when the test lets it, "/large" has a body of that size.
class Handler {
 public:
  CancelRequest operator()(const HttpRequest& request, Respond respond) {
    if (request.path == "/wait") {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(respond));
      changed_.notify_all();
      return [this] {
        const std::lock_guard inner(mutex_);
        ++cancelled_;
        changed_.notify_all();
      };
    }
    if (request.path == "/drop") return {};
    if (request.path == "/throw") throw std::bad_alloc();
    HttpResponse response{.content_type = "text/plain"};
    if (request.path == "/large") {
      response.body.assign(std::stoul(request.query.at(0).second), 'x');
    } else {
      response.body = base::StrCat(request.method, " ", request.path, " ", request.body);
      response.headers.emplace_back("X-Tenant", request.tenant);
      response.headers.emplace_back("X-Odd", "a\r\nInjected: b");
    }
    respond(std::move(response));
    return {};
  }

  // From another thread, as an executor would.
  void AnswerNext(HttpResponse response) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !waiting_.empty(); });
    const Respond respond = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    lock.unlock();
    respond(std::move(response));
  }
  void WaitFor(std::size_t waiting) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_.size() >= waiting; });
  }
  void WaitForCancelled(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return cancelled_ >= count; });
  }
  int cancelled() {
    const std::lock_guard lock(mutex_);
    return cancelled_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Respond> waiting_;
  int cancelled_ = 0;
};

class HttpServerTest : public testing::Test {
 protected:
  void Serve(HttpOptions options = {}) {
    options.port = 0;
    auto server = HttpServer::Start(options, [this](const HttpRequest& request, Respond respond) {
      return handler_(request, std::move(respond));
    });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = std::move(*server);
  }
  int port() const { return server_->port(); }
  void AnswerNext(const std::string& body) {
    handler_.AnswerNext({.body = body, .at_once = at_once_});
  }

  bool at_once_ = false;
  Handler handler_;
  std::unique_ptr<HttpServer> server_;
};

// What answers that come from another thread must do, whichever thread sends them.
class HttpAnswersTest : public HttpServerTest, public testing::WithParamInterface<bool> {
 protected:
  HttpAnswersTest() { at_once_ = GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(Posted, HttpAnswersTest, testing::Values(false));
INSTANTIATE_TEST_SUITE_P(AtOnce, HttpAnswersTest, testing::Values(true));

constexpr std::string_view kGet = "GET /echo HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kWait = "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n";

std::string Post(std::string_view path, std::string_view body) {
  return base::StrCat("POST ", path, " HTTP/1.1\r\nHost: h\r\nContent-Length: ", body.size(),
                      "\r\n\r\n", body);
}

// An error in Hone's shape, of that status.
void ExpectError(const TestReply& reply, int status, const std::string& message) {
  EXPECT_EQ(reply.status, status) << reply.body;
  const auto json = base::Json::Parse(reply.body, "body");
  ASSERT_TRUE(json.ok()) << reply.body;
  const auto error = json->root().Get("error");
  ASSERT_TRUE(error.ok()) << reply.body;
  EXPECT_EQ(error->Get("code")->Int().value(), status);
  EXPECT_THAT(std::string(error->Get("message")->String().value()), HasSubstr(message));
  EXPECT_NE(error->Get("type")->String().value(), "");
  EXPECT_EQ(reply.headers.at("Content-Type"), "application/json");
}

TEST_F(HttpServerTest, AnswersOneRequestAfterTheOtherOnAConnection) {
  Serve();
  TestClient client(port());
  for (int i = 0; i < 3; ++i) {
    const TestReply reply = client.Ask(Post("/echo", base::StrCat("body ", i)));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, base::StrCat("POST /echo body ", i));
    EXPECT_EQ(reply.headers.at("Connection"), "keep-alive");
    EXPECT_EQ(reply.headers.at("Content-Type"), "text/plain");
  }
  EXPECT_EQ(server_->counters().requests, 3);
  EXPECT_EQ(server_->counters().connections, 1);
  EXPECT_EQ(server_->counters().open, 1);
}

TEST_P(HttpAnswersTest, AnswersPipelinedRequestsInOrder) {
  Serve();
  TestClient client(port());
  std::string all(kWait);
  for (int i = 0; i < 200; ++i) base::StrAppend(&all, Post("/echo", base::StrCat(i)));
  client.Send(all);
  AnswerNext("first");
  EXPECT_EQ(client.Receive().body, "first");
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(client.Receive().body, base::StrCat("POST /echo ", i));
  }
}

TEST_F(HttpServerTest, TakesBytesOneAtATime) {
  Serve();
  TestClient client(port());
  for (const char c : Post("/echo", "slow") + "\r\n" + Post("/echo", "again")) {
    client.Send(std::string(1, c));
  }
  EXPECT_EQ(client.Receive().body, "POST /echo slow");
  EXPECT_EQ(client.Receive().body, "POST /echo again");
}

TEST_F(HttpServerTest, ReadsChunkedBodies) {
  Serve();
  TestClient client(port());
  const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(client.Ask(head + "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: t\r\n\r\n").body,
            "POST /echo hello world");
  client.Send(head);
  for (const std::string_view part : {"3", "\r", "\na", "bc\r\n0\r", "\n\r\n"}) client.Send(part);
  EXPECT_EQ(client.Receive().body, "POST /echo abc");
}

TEST_F(HttpServerTest, TellsAClientThatAsksToGoOn) {
  Serve();
  TestClient client(port());
  const TestReply go_on = client.Ask(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(go_on.status, 100);
  EXPECT_EQ(client.Ask("body").body, "POST /echo body");
}

TEST_F(HttpServerTest, HeadAndOptionsNeedNoHandlerOfTheirOwn) {
  Serve();
  TestClient client(port());
  client.Send("HEAD /large?size=1000 HTTP/1.1\r\nHost: h\r\n\r\n");
  const TestReply head = client.Receive(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("Content-Length"), "1000");
  const TestReply options = client.Ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(options.status, 204);
  EXPECT_THAT(options.headers.at("Allow"), HasSubstr("POST"));
  EXPECT_EQ(options.headers.count("Content-Length"), 0u);
  EXPECT_EQ(client.Ask(kGet).status, 200);
}

TEST_F(HttpServerTest, ClosesWhenTheClientOrItsVersionSaysSo) {
  Serve();
  TestClient asks(port());
  const TestReply last = asks.Ask("GET /echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(last.headers.at("Connection"), "close");
  EXPECT_TRUE(asks.Ended());
  TestClient old(port());
  EXPECT_EQ(old.Ask("GET /echo HTTP/1.0\r\n\r\n").status, 200);
  EXPECT_TRUE(old.Ended());
  TestClient kept(port());
  const std::string keep = "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  EXPECT_EQ(kept.Ask(keep).headers.at("Connection"), "keep-alive");
  EXPECT_EQ(kept.Ask(keep).status, 200);
}

TEST_F(HttpServerTest, NothingAHandlerRepeatsCanEndAHeaderField) {
  Serve();
  TestClient client(port());
  const TestReply reply = client.Ask(kGet);
  EXPECT_EQ(reply.headers.at("X-Odd"), "a  Injected: b");
  EXPECT_EQ(reply.headers.count("Injected"), 0u);
}

TEST_F(HttpServerTest, RefusesWhatIsNotHttpWithItsOwnStatus) {
  HttpOptions options;
  options.max_body_bytes = 1000;
  options.max_header_bytes = 2000;
  Serve(options);
  const std::string host = " HTTP/1.1\r\nHost: h\r\n";
  std::string many = "GET /" + host;
  for (int i = 0; i < 200; ++i) base::StrAppend(&many, "a:b\r\n");
  const struct {
    std::string bytes;
    int status;
    const char* message;
  } cases[] = {
      {"nonsense\r\n\r\n", 400, "not HTTP"},
      {"GET / HTTP/1.1\r\n\r\n", 400, "Host"},
      {"GET /" + host + "Host: i\r\n\r\n", 400, "Host"},
      {"GET / HTTP/1.1\r\nHost: a b/c\r\n\r\n", 400, "no host"},
      {"POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       400, "HTTP/1.0"},
      {"GET /%zz" + host + "\r\n", 400, "hexadecimal"},
      {"GET /%ff" + host + "\r\n", 400, "UTF-8"},
      {"GET /%00" + host + "\r\n", 400, "UTF-8"},
      {"GET nowhere" + host + "\r\n", 400, "begin with"},
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505, "HTTP/1.1"},
      {"GET /" + host + "Long: " + std::string(3000, 'x') + "\r\n\r\n", 431, "2000 bytes"},
      {"GET /" + std::string(3000, 'x'), 414, "the target is longer than 2000 bytes"},
      {"GET /" + std::string(3000, 'x') + host + "\r\n", 414, "the target is longer"},
      {"GET /v2%2Fhealth" + host + "\r\n", 400, "an encoded \"/\""},
      {many + "\r\n", 431, "128 header fields"},
      {Post("/echo", std::string(1001, 'x')), 413, "1000 bytes"},
      {"POST /" + host + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x'), 413,
       "1000 bytes"},
      {"POST /" + host + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(3000, 'x'), 431,
       "2000 bytes"},
      {"POST /" + host + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, "not HTTP"},
      {"POST /" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "chunked"},
      {"POST /" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
       "not HTTP"},
      {"POST /" + host + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400, "not HTTP"},
      {"POST /" + host + "Content-Length: -3\r\n\r\n", 400, "not HTTP"},
      {"POST /" + host + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n", 415, "gzip"},
      {"POST /" + host + "Expect: money\r\nContent-Length: 3\r\n\r\n", 417, "100-continue"},
  };
  for (const auto& [bytes, status, message] : cases) {
    SCOPED_TRACE(bytes.substr(0, 100));
    TestClient client(port());
    const TestReply reply = client.Ask(bytes);
    ExpectError(reply, status, message);
    EXPECT_EQ(reply.headers.at("Connection"), "close");
    EXPECT_TRUE(client.Ended());
  }
  TestClient client(port());
  EXPECT_EQ(client.Ask(Post("/echo", std::string(1000, 'x'))).status, 200);
}

// The whole body is sent before the answer is read: a reset would destroy the answer.
TEST_F(HttpServerTest, ARefusalReachesAClientThatGoesOnSending) {
  HttpOptions options;
  options.max_body_bytes = 1000;
  Serve(options);
  TestClient client(port());
  client.Send(Post("/echo", std::string(2 << 20, 'x')));
  ExpectError(client.Receive(), 413, "1000 bytes");
}

TEST_F(HttpServerTest, GivesLargeAnswersToSlowReaders) {
  Serve();
  TestClient client(port());
  client.Send(base::StrCat("GET /large?size=", 20 << 20, " HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_EQ(client.Receive().body.size(), std::size_t{20} << 20);
  EXPECT_EQ(client.Ask(kGet).status, 200);
}

TEST_P(HttpAnswersTest, SendsTheRestOfALargeAnswerOnceItsReaderTakesIt) {
  Serve();
  TestClient client(port());
  client.Send(base::StrCat(kWait, kGet));
  AnswerNext(std::string(20 << 20, 'x'));
  EXPECT_EQ(client.Receive().body, std::string(20 << 20, 'x'));
  EXPECT_EQ(client.Receive().body, "GET /echo ");
}

TEST_P(HttpAnswersTest, ClosesBehindTheAnswerWhereTheClientAskedForIt) {
  Serve();
  TestClient client(port());
  client.Send("GET /wait HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  AnswerNext("the last");
  EXPECT_EQ(client.Receive().body, "the last");
  EXPECT_TRUE(client.Ended());
}

TEST_P(HttpAnswersTest, GoesOnAfterFinishingAnAnswerFailed) {
  Serve();
  TestClient client(port());
  client.Send(kWait);
  handler_.AnswerNext(
      {.finish = [](HttpResponse&) { throw std::bad_alloc(); }, .at_once = at_once_});
  ExpectError(client.Receive(), 500, "failed");
  EXPECT_EQ(client.Ask(kGet).status, 200);
}

// Clients that stay, that send ahead and that leave before their answer, all while answers come.
TEST_P(HttpAnswersTest, EveryClientGetsItsOwnWhileOthersComeAndGo) {
  HttpOptions options;
  options.io_threads = 2;
  Serve(options);
  constexpr int kRounds = 200;
  std::atomic<int> right = 0;
  std::vector<std::thread> clients;
  for (int t = 0; t < 3; ++t) {
    clients.emplace_back([&, t] {
      TestClient client(port());
      for (int i = 0; i < kRounds; ++i) {
        client.Send(t == 0 ? base::StrCat(kWait, kGet) : std::string(kWait));
        if (client.Receive().body == "answer") ++right;
        if (t == 0 && client.Receive().body == "GET /echo ") ++right;
        if (t == 1) TestClient(port()).Send(kWait);  // and away
      }
    });
  }
  std::vector<std::thread> executors;
  for (int e = 0; e < 2; ++e) {
    executors.emplace_back([&] {
      for (int i = 0; i < 2 * kRounds; ++i) AnswerNext("answer");
    });
  }
  for (std::thread& thread : clients) thread.join();
  for (std::thread& thread : executors) thread.join();
  EXPECT_EQ(right, 4 * kRounds);
}

TEST_F(HttpServerTest, WhoHasTheTimeFinishesItsAnswerItself) {
  Serve();
  TestClient client(port());
  for (const bool at_once : {false, true}) {
    std::thread::id finished_by;
    client.Send(kWait);
    handler_.AnswerNext({.finish =
                             [&](HttpResponse& response) {
                               finished_by = std::this_thread::get_id();
                               response.body = "finished";
                             },
                         .at_once = at_once});
    EXPECT_EQ(client.Receive().body, "finished");
    EXPECT_EQ(finished_by == std::this_thread::get_id(), at_once);
  }
}

TEST_F(HttpServerTest, ClosesAConnectionThatSaysNothing) {
  HttpOptions options;
  options.read_timeout_s = 0.05;
  Serve(options);
  TestClient silent(port());
  EXPECT_TRUE(silent.Ended());
}

// What expects an answer has a second for it, since a machine may stand still.
TEST_F(HttpServerTest, RefusesASlowRequestAndClosesAnIdleConnection) {
  HttpOptions options;
  options.read_timeout_s = 1;
  options.idle_timeout_s = 0.2;
  Serve(options);
  TestClient slow(port()), used(port());
  slow.Send("GET / HT");
  EXPECT_EQ(used.Ask(kGet).status, 200);
  EXPECT_TRUE(used.Ended());
  ExpectError(slow.Receive(), 408, "did not arrive");
  EXPECT_TRUE(slow.Ended());
}

TEST_F(HttpServerTest, RefusesConnectionsOverTheLimit) {
  HttpOptions options;
  options.max_connections = 2;
  Serve(options);
  TestClient first(port());
  EXPECT_EQ(first.Ask(kGet).status, 200);
  {
    TestClient second(port());
    EXPECT_EQ(second.Ask(kGet).status, 200);
    TestClient third(port());
    const TestReply refused = third.Receive();
    ExpectError(refused, 503, "too many connections");
    EXPECT_EQ(refused.headers.at("Retry-After"), "1");
    EXPECT_TRUE(third.Ended());
  }
  while (server_->counters().open > 1) std::this_thread::yield();
  TestClient fourth(port());
  EXPECT_EQ(fourth.Ask(kGet).status, 200);
}

TEST_P(HttpAnswersTest, RefusesMoreBodiesThanItMayHold) {
  HttpOptions options;
  options.max_held_bytes = 100'000;
  Serve(options);
  TestClient first(port()), second(port());
  first.Send("POST /wait HTTP/1.1\r\nHost: h\r\nContent-Length: 90000\r\n\r\n" +
             std::string(90'000, 'x'));
  handler_.WaitFor(1);
  ExpectError(second.Ask(Post("/echo", std::string(20'000, 'x'))), 503, "at once");
  AnswerNext("done");
  EXPECT_EQ(first.Receive().body, "done");
  TestClient third(port());
  EXPECT_EQ(third.Ask(Post("/echo", std::string(20'000, 'x'))).status, 200);
}

// What a client sends ahead of its answer is held too.
TEST_P(HttpAnswersTest, CountsWhatIsReadAheadAsHeld) {
  HttpOptions options;
  options.max_held_bytes = 30'000;
  Serve(options);
  TestClient first(port()), second(port());
  first.Send(kWait);
  handler_.WaitFor(1);
  first.Send(Post("/echo", std::string(40'000, 'x')));
  // Until the front has read ahead.
  TestReply reply;
  do {
    reply = TestClient(port()).Ask(Post("/echo", std::string(20'000, 'x')));
  } while (reply.status == 200);
  ExpectError(reply, 503, "at once");
  AnswerNext("done");
  EXPECT_EQ(first.Receive().body, "done");
  ExpectError(first.Receive(), 503, "at once");  // by itself it is over the limit
  EXPECT_EQ(second.Ask(Post("/echo", std::string(20'000, 'x'))).status, 200);
}

TEST_P(HttpAnswersTest, CancelsTheRequestOfAClientThatIsGone) {
  Serve();
  TestClient closes(port()), resets(port()), stays(port()), pipelines(port());
  closes.Send(kWait);
  handler_.WaitFor(1);
  resets.Send(kWait);
  handler_.WaitFor(2);
  stays.Send(kWait);
  handler_.WaitFor(3);
  pipelines.Send(base::StrCat(kWait, kGet));
  handler_.WaitFor(4);
  EXPECT_EQ(handler_.cancelled(), 0);
  closes.Close();
  handler_.WaitForCancelled(1);
  resets.Reset();
  handler_.WaitForCancelled(2);
  pipelines.Close();
  handler_.WaitForCancelled(3);
  AnswerNext("to nobody");
  AnswerNext("to nobody");
  AnswerNext("to the one that stayed");
  EXPECT_EQ(stays.Receive().body, "to the one that stayed");
  AnswerNext("to nobody");
  while (server_->counters().open > 1) std::this_thread::yield();
  EXPECT_EQ(handler_.cancelled(), 3);
}

TEST_F(HttpServerTest, AnswersAClientThatOnlyEndedItsSending) {
  Serve();
  TestClient client(port());
  client.Send(base::StrCat(kGet, kGet));
  client.EndSending();
  EXPECT_EQ(client.Receive().status, 200);
  EXPECT_EQ(client.Receive().status, 200);
  EXPECT_TRUE(client.Ended());
}

TEST_F(HttpServerTest, AHandlerThatForgetsOrThrowsIsAnInternalError) {
  Serve();
  TestClient client(port());
  ExpectError(client.Ask("GET /drop HTTP/1.1\r\nHost: h\r\n\r\n"), 500, "dropped");
  ExpectError(client.Ask("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n"), 500, "failed");
  EXPECT_EQ(client.Ask(kGet).status, 200);
}

TEST_F(HttpServerTest, WantsAKeyForEverythingButHealth) {
  HttpOptions options;
  options.api_keys = {{"alice", "key-of-alice"}, {"bob", "key-of-bob"}};
  Serve(options);
  const auto get = [](std::string_view path, std::string_view fields) {
    return base::StrCat("GET ", path, " HTTP/1.1\r\nHost: h\r\n", fields, "\r\n");
  };
  for (const std::string_view fields :
       {"", "Authorization: Bearer key-of-carol\r\n", "Authorization: Bearer key-of-alic\r\n",
        "Authorization: Bearer \r\n", "Authorization: Basic key-of-alice\r\n", "api-key:\r\n"}) {
    TestClient client(port());
    const TestReply reply = client.Ask(get("/echo", fields));
    ExpectError(reply, 401, "API key");
    EXPECT_EQ(reply.headers.at("WWW-Authenticate"), "Bearer");
  }
  TestClient client(port());
  EXPECT_EQ(client.Ask(get("/echo", "Authorization: Bearer key-of-alice\r\n")).headers["X-Tenant"],
            "alice");
  EXPECT_EQ(client.Ask(get("/echo", "authorization: bearer key-of-bob\r\n")).headers["X-Tenant"],
            "bob");
  EXPECT_EQ(client.Ask(get("/echo", "X-API-Key: key-of-bob\r\n")).headers["X-Tenant"], "bob");
  EXPECT_EQ(client.Ask(get("/echo", "Api-Key: key-of-alice\r\n")).headers["X-Tenant"], "alice");
  EXPECT_EQ(client.Ask(get("/", "")).status, 200) << "the page, which asks for the key itself";
  ExpectError(TestClient(port()).Ask(Post("/", "{}")), 401, "API key");
  // The answer to HEAD is a header, whatever it says.
  TestClient head(port());
  head.Send("HEAD /echo HTTP/1.1\r\nHost: h\r\n\r\n");
  const TestReply refused = head.Receive(true);
  EXPECT_EQ(refused.status, 401);
  EXPECT_NE(refused.headers.at("Content-Length"), "0");
  EXPECT_TRUE(head.Ended()) << "and no body behind it";
  EXPECT_EQ(client.Ask(get("/health", "")).status, 200);
  EXPECT_EQ(client.Ask(get("/ready", "")).status, 200);
  // Before a body is read, or its sender is told to go on.
  ExpectError(client.Ask("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"
                         "Expect: 100-continue\r\n\r\n"),
              401, "API key");
}

TEST_P(HttpAnswersTest, StopLetsAnswersOutAndClosesTheIdle) {
  Serve();
  TestClient idle(port()), busy(port());
  EXPECT_EQ(idle.Ask(kGet).status, 200);
  busy.Send(kWait);
  handler_.WaitFor(1);
  std::thread stop([&] { server_->Stop(30); });
  EXPECT_TRUE(idle.Ended());
  AnswerNext("late, but there");
  const TestReply reply = busy.Receive();
  EXPECT_EQ(reply.body, "late, but there");
  EXPECT_EQ(reply.headers.at("Connection"), "close");
  stop.join();
  EXPECT_FALSE(TestClient(port()).connected());
  EXPECT_EQ(server_->counters().open, 0);
}

TEST_P(HttpAnswersTest, StopCancelsWhatIsLeftAfterItsTime) {
  Serve();
  TestClient busy(port());
  busy.Send(kWait);
  handler_.WaitFor(1);
  server_->Stop(0.01);
  EXPECT_EQ(handler_.cancelled(), 1);
  EXPECT_EQ(busy.Receive().status, 0);
  AnswerNext("to a server that is gone");
  server_.reset();
}

TEST_F(HttpServerTest, ServesManyClientsOnSeveralThreads) {
  HttpOptions options;
  options.io_threads = 3;
  Serve(options);
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      TestClient client(port());
      for (int i = 0; i < 100; ++i) {
        const std::string body = base::StrCat(t, " ", i);
        if (client.Ask(Post("/echo", body)).body == "POST /echo " + body) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 400);
}

TEST_F(HttpServerTest, SaysWhyItCannotListen) {
  Serve();
  const auto start = [](const HttpOptions& options) {
    return HttpServer::Start(options,
                             [](const HttpRequest&, const Respond&) { return CancelRequest(); })
        .status();
  };
  HttpOptions taken;
  taken.port = port();
  EXPECT_THAT(start(taken).message(), HasSubstr(base::StrCat("127.0.0.1:", port())));
  EXPECT_THAT(start({.port = 70000}).message(), HasSubstr("70000"));
  EXPECT_THAT(start({.host = "no such host", .port = 0}).message(), HasSubstr("no such host"));
  EXPECT_THAT(start({.host = "::1", .port = 0, .tls_cert = "x"}).message(), HasSubstr("key"));
  EXPECT_THAT(start({.port = 0, .tls_cert = "/no/cert", .tls_key = "/no/key"}).message(),
              HasSubstr("/no/cert"));
}

}  // namespace
}  // namespace hone::server
