#include "load/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "load/test_server.h"

namespace hone::load {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

LoadRequest Uniform(const TestServer& server, double rate, double seconds, double deadline_ms) {
  LoadRequest request;
  request.url = server.url();
  request.seconds = seconds;
  request.timeout_s = 600;  // a machine may stand still: only the test of timeouts is for that
  Stream stream;
  stream.model = "m";
  stream.rate_per_s = rate;
  stream.arrivals.process = Process::kUniform;
  stream.deadline_ms = deadline_ms;
  request.streams.push_back(stream);
  return request;
}

StreamResult Total(const LoadRequest& request) {
  const auto result = RunLoad(request, {});
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? result->total : StreamResult();
}

void ExpectAllCounted(const StreamResult& result) {
  EXPECT_EQ(result.sent, result.ok + result.late + result.refused + result.errors);
}

// A server that answers nothing for 400 ms. A closed loop with one connection would measure one slow
// request and many fast ones; here everybody whose moment fell into the stall has waited for its end.
TEST(Load, LatencyCountsFromThePlannedMomentThroughAStall) {
  const auto begin = std::chrono::steady_clock::now();
  TestServer server([&](const std::string&, int) {
    std::this_thread::sleep_until(begin + std::chrono::milliseconds(400));
    return TestServer::Reply(200);
  });
  LoadRequest request = Uniform(server, 100, 0.3, 0);
  request.max_connections = 1;
  // The generator starts within the stall: at least 200 ms of it are left then, or this machine has
  // stopped for as long, which the skip says.
  if (std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(150)) {
    GTEST_SKIP() << "this machine stood still";
  }
  const StreamResult result = Total(request);
  EXPECT_EQ(result.sent, 30);
  EXPECT_EQ(result.ok, 30);
  EXPECT_EQ(server.connections(), 1);
  // The first half, planned in [0, 150 ms), was answered after 250 ms at the earliest.
  EXPECT_GE(result.p50_ms, 100);
  EXPECT_GE(result.max_ms, 240);
}

TEST(Load, SendsWhateverBecameOfEarlierRequests) {
  std::atomic<int> under_way = 0, most = 0;
  TestServer server([&](const std::string&, int) {
    const int now = ++under_way;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    // Nobody is answered before ten are there; the generator must not wait for answers.
    for (int i = 0; i < 1000 && most < 10; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    --under_way;
    return TestServer::Reply(200);
  });
  const StreamResult result = Total(Uniform(server, 200, 0.1, 0));
  EXPECT_EQ(result.ok, 20);
  EXPECT_GE(most, 10);
}

TEST(Load, EveryAnswerIsCountedOnceAndRightly) {
  TestServer server([](const std::string&, int number) -> std::string {
    switch (number % 8) {
      case 0:
        return TestServer::Reply(200,
                                 "X-Hone-Rung: 2x\r\nx-hone-compute-ms: 1.5\r\n"
                                 "X-Hone-Queue-Ms: 0.25\r\n");
      case 1: return TestServer::Reply(200, "x-hone-rung: 4x\r\n");
      case 2: return TestServer::Reply(429, "Retry-After: 1\r\n");
      case 3: return TestServer::Reply(503);
      case 4: return TestServer::Reply(504);
      case 5: return TestServer::Reply(404);
      case 6: return "HTP/1.1 200 OK\r\n\r\n";
      default:
        return "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nabc";  // cut short
    }
  });
  LoadRequest request = Uniform(server, 400, 0.2, 60'000);
  request.max_connections = 1;  // so that the script's order is the requests'
  const StreamResult result = Total(request);
  EXPECT_EQ(result.sent, 80);
  EXPECT_EQ(server.requests(), 80);
  EXPECT_EQ(result.ok, 20);
  EXPECT_EQ(result.late, 10);
  EXPECT_EQ(result.refused, 20);
  EXPECT_EQ(result.errors, 30);
  EXPECT_DOUBLE_EQ(result.goodput_per_s, 100);
  EXPECT_THAT(result.rungs, ElementsAre(Pair("2x", 10), Pair("4x", 10)));
  EXPECT_THAT(result.faults,
              ElementsAre(Pair(HasSubstr("no HTTP/1.1 status line"), 10), Pair("HTTP 404", 10),
                          Pair("connection closed within an answer", 10)));
  EXPECT_GT(result.p99_compute_ms, 1);
  EXPECT_GT(result.p99_queue_ms, 0);
  EXPECT_LE(result.p99_queue_ms, 0.25);
}

TEST(Load, KeepsWhatTheServerSaysOfTheFirstErrorAndRefusal) {
  TestServer server([](const std::string&, int number) -> std::string {
    const std::string body = R"({"error":{"message":"number )" + std::to_string(number) + R"("}})";
    return TestServer::Reply(number % 2 == 0 ? 404 : 429, "", body);
  });
  LoadRequest request = Uniform(server, 400, 0.01, 0);
  request.max_connections = 1;
  const StreamResult result = Total(request);
  EXPECT_EQ(result.first_error, "number 0");
  EXPECT_EQ(result.first_refusal, "number 1");
}

TEST(Load, AnAnswerAfterItsDeadlineIsLate) {
  TestServer server([](const std::string&, int) {
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
    return TestServer::Reply(200);
  });
  const StreamResult result = Total(Uniform(server, 100, 0.1, 20));
  EXPECT_EQ(result.late, 10);
  EXPECT_EQ(result.ok, 0);
  EXPECT_GE(result.p50_ms, 40) << "late answers have a latency too";
}

TEST(Load, ARequestWithoutAConnectionIsGivenUpAtItsDeadline) {
  TestServer server([](const std::string&, int) {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return TestServer::Reply(200);
  });
  LoadRequest request = Uniform(server, 100, 0.1, 30);
  request.max_connections = 1;
  const StreamResult result = Total(request);
  EXPECT_EQ(result.late, 10);
  EXPECT_EQ(server.requests(), 1) << "the others' deadlines were over when the connection was free";
}

TEST(Load, HungRequestsTimeOut) {
  std::atomic<bool> over = false;
  TestServer server([&](const std::string&, int) -> std::string {
    while (!over) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return "";
  });
  LoadRequest request = Uniform(server, 100, 0.05, 0);
  request.timeout_s = 0.1;
  const StreamResult result = Total(request);
  over = true;
  EXPECT_EQ(result.errors, 5);
  EXPECT_THAT(result.faults, ElementsAre(Pair("no answer in time", 5)));
}

TEST(Load, ReadsChunkedAnswersInterimOnesAndBodiesThatEndWithTheConnection) {
  TestServer server([](const std::string&, int number) -> std::string {
    switch (number % 3) {
      case 0:
        return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n"
               "0123456789\r\n0\r\nTrailer: 1\r\n\r\n";
      case 1: return "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
      default: return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end";
    }
  });
  LoadRequest request = Uniform(server, 300, 0.1, 0);
  request.max_connections = 1;
  const StreamResult result = Total(request);
  EXPECT_EQ(result.ok, 30);
  EXPECT_TRUE(result.faults.empty()) << result.faults.begin()->first;
  EXPECT_EQ(server.connections(), 10) << "a new one after every third answer";
}

// A server that closes a kept-alive connection without a word: the next request is sent once more.
TEST(Load, AConnectionClosedBetweenRequestsCostsNothing) {
  TestServer server([](const std::string&, int number) -> std::string {
    return number == 5 ? "" : TestServer::Reply(200);
  });
  LoadRequest request = Uniform(server, 100, 0.1, 0);
  request.max_connections = 1;
  const StreamResult result = Total(request);
  EXPECT_EQ(result.ok, 10);
  EXPECT_EQ(server.requests(), 11);
}

TEST(Load, TheFirstRequestOfAConnectionIsNotSentTwice) {
  TestServer server([](const std::string&, int) { return ""; });
  const StreamResult result = Total(Uniform(server, 100, 0.05, 0));
  EXPECT_EQ(result.errors, 5);
  EXPECT_EQ(server.requests(), 5);
  EXPECT_THAT(result.faults, ElementsAre(Pair("connection closed before an answer", 5)));
}

TEST(Load, SaysDeadlinePriorityAndKey) {
  std::mutex mutex;
  std::vector<std::string> seen;
  TestServer server([&](const std::string& request, int) {
    const std::lock_guard lock(mutex);
    seen.push_back(request);
    return TestServer::Reply(200);
  });
  LoadRequest request = Uniform(server, 100, 0.02, 5000);
  request.streams[0].priority = "high";
  request.streams[0].route = "/predict";
  request.api_key = "secret";
  request.texts = {"one", "two"};
  EXPECT_EQ(Total(request).ok, 2);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_THAT(seen[0], testing::StartsWith("POST /predict HTTP/1.1\r\nHost: 127.0.0.1:"));
  EXPECT_THAT(seen[0], HasSubstr("\r\nX-Hone-Priority: high\r\n"));
  EXPECT_THAT(seen[0], HasSubstr("\r\nAuthorization: Bearer secret\r\n"));
  EXPECT_THAT(seen[0] + seen[1], HasSubstr(R"({"model":"m","inputs":"one","truncate":true})"));
  EXPECT_THAT(seen[0] + seen[1], HasSubstr(R"({"model":"m","inputs":"two","truncate":true})"));
  const std::size_t at = seen[0].find("X-Hone-Deadline-Ms: ");
  ASSERT_NE(at, std::string::npos);
  const double remaining_ms = std::stod(seen[0].substr(at + 20));
  EXPECT_GT(remaining_ms, 0);
  EXPECT_LT(remaining_ms, 5000) << "what is left, not what was planned";
}

TEST(Load, StreamsAndStepsAreCountedApart) {
  TestServer server([](const std::string& request, int) {
    return TestServer::Reply(request.find("\"b\"") == std::string::npos ? 200 : 429);
  });
  LoadRequest request = Uniform(server, 100, 0, 0);
  request.streams.push_back(request.streams[0]);
  request.streams[0].model = "a";
  request.streams[1].model = "b";
  request.streams[1].rate_per_s = 300;
  request.ramp = {{400, 0.1}, {0, 0.05}, {800, 0.1}};
  const auto result = RunLoad(request, {});
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->steps.size(), 3u);
  EXPECT_EQ(result->steps[0].streams[0].ok, 10);
  EXPECT_EQ(result->steps[0].streams[1].refused, 30);
  EXPECT_EQ(result->steps[1].total.sent, 0);
  EXPECT_EQ(result->steps[2].total.sent, 80);
  EXPECT_DOUBLE_EQ(result->steps[2].begin_s, 0.15);
  EXPECT_EQ(result->total.sent, 120);
  EXPECT_EQ(result->streams[0].ok, 30);
  EXPECT_EQ(result->streams[1].refused, 90);
  EXPECT_DOUBLE_EQ(result->seconds, 0.25);
  ExpectAllCounted(result->total);
}

TEST(Load, ReportsProgress) {
  TestServer server([](const std::string&, int) { return TestServer::Reply(200); });
  std::vector<std::int64_t> counts;
  const auto result = RunLoad(Uniform(server, 50, 1.2, 0), [&](double, const StreamResult& so_far) {
    counts.push_back(so_far.sent);
  });
  ASSERT_TRUE(result.ok());
  // Every half a second; on a machine that stands still they come later, not less often.
  ASSERT_GE(counts.size(), 2u);
  EXPECT_TRUE(std::ranges::is_sorted(counts));
  EXPECT_GT(counts.front(), 0);
  EXPECT_LE(counts.back(), 60);
}

TEST(Load, ErrorsSayWhatIsWrong) {
  std::string url;
  {
    TestServer gone([](const std::string&, int) { return ""; });
    url = gone.url();
  }
  LoadRequest request;
  request.streams.resize(1);
  request.streams[0].model = "m";
  request.url = url;
  EXPECT_THAT(RunLoad(request, {}).status().message(), HasSubstr("cannot connect to " + url));
  request.url = "https://x";
  EXPECT_THAT(RunLoad(request, {}).status().message(), HasSubstr("speaks http alone"));
  request.streams[0].route = "/embedd";
  EXPECT_THAT(RunLoad(request, {}).status().message(), HasSubstr("known are /embed, /predict"));
}

}  // namespace
}  // namespace hone::load
