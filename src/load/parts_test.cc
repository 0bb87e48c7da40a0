// The parts of the generator that need no server: answers read, addresses, bodies, plans.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/json.h"
#include "load/body.h"
#include "load/plan.h"
#include "load/response.h"
#include "load/socket.h"
#include "load/tally.h"

namespace hone::load {
namespace {

using testing::HasSubstr;

// Reads `bytes` in pieces of that size; the answer, or the error.
base::StatusOr<Answer> ReadIn(std::size_t piece, std::string_view bytes) {
  ResponseReader reader;
  for (std::size_t at = 0; at < bytes.size() && !reader.done();) {
    HONE_ASSIGN_OR_RETURN(const std::size_t used, reader.Feed(bytes.substr(at, piece)));
    at += used;
  }
  if (!reader.done()) HONE_RETURN_IF_ERROR(reader.Close());
  return reader.answer();
}

TEST(Response, IsTheSameInPiecesOfAnySize) {
  const std::string chunked =
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nX-Hone-Rung:  4x \r\n"
      "X-HONE-QUEUE-MS: 0.5\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "00a;q\r\n0123456789\r\n2\r\nab\r\n0\r\n\r\n";
  for (std::size_t piece = 1; piece <= chunked.size(); ++piece) {
    const auto answer = ReadIn(piece, chunked);
    ASSERT_TRUE(answer.ok()) << answer.status() << " in pieces of " << piece;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body_bytes, 12u);
    EXPECT_EQ(answer->rung, "4x");
    EXPECT_EQ(answer->queue_ms, 0.5);
    EXPECT_TRUE(answer->keep_alive);
  }
}

TEST(Response, KeepsConnectionsAsTheirVersionSays) {
  const auto keeps = [](const std::string& head) {
    const auto answer = ReadIn(1000, head + "Content-Length: 0\r\n\r\n");
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() && answer->keep_alive;
  };
  EXPECT_TRUE(keeps("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(keeps("HTTP/1.1 200\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.1 200 OK\r\nConnection: x, Close\r\n"));
  EXPECT_FALSE(keeps("HTTP/1.0 200 OK\r\n"));
  EXPECT_TRUE(keeps("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n"));
}

TEST(Response, LeavesWhatFollowsToTheNextAnswer) {
  ResponseReader reader;
  const auto used = reader.Feed("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200");
  ASSERT_TRUE(used.ok());
  EXPECT_EQ(*used, 27u);
  EXPECT_TRUE(reader.done());
}

TEST(Response, RefusesWhatIsNoHttp) {
  const auto error = [](const std::string& bytes) {
    const auto answer = ReadIn(7, bytes);
    return answer.ok() ? "read" : answer.status().message();
  };
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  EXPECT_THAT(error("hello\r\n"), HasSubstr("\"hello\" is no HTTP/1.1 status line"));
  EXPECT_THAT(error("HTTP/2.0 200 OK\r\n"), HasSubstr("status line"));
  EXPECT_THAT(error("HTTP/1.1 2000 OK\r\n"), HasSubstr("status line"));
  EXPECT_THAT(error("HTTP/1.1 099 OK\r\n"), HasSubstr("status line"));
  EXPECT_THAT(error(ok + "no colon\r\n"), HasSubstr("\"no colon\" is no header line"));
  EXPECT_THAT(error(ok + "Content-Length: -1\r\n"), HasSubstr("Content-Length \"-1\""));
  EXPECT_THAT(error(ok + "Content-Length: 1\r\nContent-Length: 2\r\n"), HasSubstr("\"2\""));
  EXPECT_THAT(error(ok + "Content-Length: 99999999999\r\n"), HasSubstr("Content-Length"));
  EXPECT_THAT(error(ok + "Transfer-Encoding: gzip\r\n"), HasSubstr("gzip"));
  EXPECT_THAT(error(ok + "Transfer-Encoding: chunked\r\n\r\nz\r\n"), HasSubstr("chunk size"));
  EXPECT_THAT(error(ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"), HasSubstr("longer"));
  EXPECT_THAT(error(ok + std::string(9000, 'x')), HasSubstr("a line of more than 8 KiB"));
  EXPECT_THAT(error(ok), HasSubstr("closed within an answer"));
  EXPECT_THAT(error(""), HasSubstr("closed before an answer"));
  std::string many = ok, interim;
  for (int i = 0; i < 200; ++i) many += "a: b\r\n", interim += "HTTP/1.1 100 x\r\n\r\n";
  EXPECT_THAT(error(many), HasSubstr("more than 128 header lines"));
  EXPECT_THAT(error(interim), HasSubstr("more than 128 header lines"));
}

TEST(Response, NumbersThatAreNoneCountAsAbsent) {
  for (const char* text : {"", "x", "-1", "nan", "inf", "1e300"}) {
    const auto answer = ReadIn(1000, base::StrCat("HTTP/1.1 200 OK\r\nX-Hone-Compute-Ms: ", text,
                                                  "\r\nContent-Length: 0\r\n\r\n"));
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->compute_ms, 0) << text;
  }
}

TEST(Url, Parts) {
  struct Case {
    const char *text, *host, *port, *shown;
  };
  for (const Case& c : {Case{"http://127.0.0.1:8080", "127.0.0.1", "8080", "127.0.0.1:8080"},
                        {"http://box/", "box", "80", "box"},
                        {"http://[::1]:81/", "::1", "81", "[::1]:81"},
                        {"http://[::1]", "::1", "80", "[::1]"}}) {
    const auto url = ParseUrl(c.text);
    ASSERT_TRUE(url.ok()) << url.status();
    EXPECT_EQ(url->host, c.host);
    EXPECT_EQ(url->port, c.port);
    EXPECT_EQ(url->shown, c.shown);
  }
  for (const char* text : {"", "box:80", "ftp://x", "http://", "http://:80", "http://x:",
                           "http://x:0", "http://x:99999", "http://x:8a", "http://[::1",
                           "http://[::1]x", "http://x/path", "http://u@x", "http://x\r\ny"}) {
    const auto url = ParseUrl(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_THAT(url.status().message(), HasSubstr("url \""));
  }
}

// The JSON of the next request of a route, and its path.
std::string BodyOf(const std::string& route, std::string* path, int tokens = 0) {
  StreamRequests requests(
      {.model = "m", .route = route, .arrivals = {}, .trace = {}, .priority = ""},
      {"a \"quoted\" text"}, "h", "", 64, 1);
  std::string request;
  requests.Next(tokens, 0, &request);
  *path = request.substr(5, request.find(' ', 5) - 5);
  const std::size_t head = request.find("\r\n\r\n");
  EXPECT_THAT(request, HasSubstr(base::StrCat("Content-Length: ", request.size() - head - 4)));
  return request.substr(head + 4);
}

TEST(Body, EveryRouteHasItsJson) {
  struct Case {
    const char *route, *path, *field;
  };
  for (const Case& c : {Case{"/embed", "/embed", "inputs"},
                        {"/predict", "/predict", "inputs"},
                        {"/rerank", "/rerank", "texts"},
                        {"/v1/embeddings", "/v1/embeddings", "input"},
                        {"/v1/rerank", "/v1/rerank", "documents"},
                        {"/v1/hone/tag", "/v1/hone/tag", "text"},
                        {"/v1/hone/classify", "/v1/hone/classify", "text"},
                        {"/v1/hone/answer", "/v1/hone/answer", "context"},
                        {"/v2", "/v2/models/m/infer", "inputs"}}) {
    ASSERT_TRUE(CheckRoute(c.route).ok());
    std::string path;
    const auto json = base::Json::Parse(BodyOf(c.route, &path), "body");
    ASSERT_TRUE(json.ok()) << json.status();
    EXPECT_EQ(path, c.path);
    EXPECT_TRUE(json->root().Get(c.field).ok()) << c.route;
  }
  EXPECT_FALSE(CheckRoute("/v3").ok());
}

TEST(Body, TextsOfWantedLengthsHaveAsManyWords) {
  std::string path;
  for (const int tokens : {1, 7, 64, 1000}) {
    const auto json = base::Json::Parse(BodyOf("/embed", &path, tokens), "body");
    ASSERT_TRUE(json.ok());
    const std::string_view text = *json->root().Get("inputs")->String();
    EXPECT_EQ(std::ranges::count(text, ' ') + 1, std::min(tokens, 64));
  }
}

TEST(Body, DefaultTextsAreManyAndDiffer) {
  std::set<std::string> texts(DefaultTexts().begin(), DefaultTexts().end());
  EXPECT_EQ(texts.size(), DefaultTexts().size());
  EXPECT_GE(texts.size(), 36u);
}

LoadRequest Bursty(double rate) {
  LoadRequest request;
  request.streams.resize(1);
  request.streams[0].model = "m";
  request.streams[0].rate_per_s = rate;
  request.streams[0].arrivals = {.process = Process::kGamma, .cv = 2};
  return request;
}

TEST(Plan, ARampHasEachStepsRate) {
  LoadRequest request = Bursty(1);
  request.ramp = {{1000, 20}, {0, 5}, {3000, 10}, {500, 30}};
  const auto plan = MakePlan(request);
  ASSERT_TRUE(plan.ok()) << plan.status();
  std::vector<int> counts(4);
  base::TimeNs before = 0;
  for (const Planned& planned : *plan) {
    ASSERT_GE(planned.at, before);
    before = planned.at;
    ++counts[static_cast<std::size_t>(planned.step)];
  }
  EXPECT_LT(before, 65 * base::kSecondNs);
  EXPECT_NEAR(counts[0], 20'000, 1500);  // five standard deviations at CV 2
  EXPECT_EQ(counts[1], 0);
  EXPECT_NEAR(counts[2], 30'000, 1800);
  EXPECT_NEAR(counts[3], 15'000, 1300);
}

TEST(Plan, StreamsHaveArrivalsOfTheirOwn) {
  LoadRequest request = Bursty(100);
  request.seconds = 1;
  request.streams.push_back(request.streams[0]);
  const auto plan = MakePlan(request);
  ASSERT_TRUE(plan.ok());
  std::set<base::TimeNs> moments;
  for (const Planned& planned : *plan) moments.insert(planned.at);
  // Within a burst two may fall into one nanosecond; of twins all would.
  EXPECT_GT(moments.size(), plan->size() * 9 / 10);
}

TEST(Plan, RefusesWhatMakesNoSense) {
  const auto error = [](const LoadRequest& request) {
    const auto plan = MakePlan(request);
    return plan.ok() ? "planned" : plan.status().message();
  };
  EXPECT_THAT(error(LoadRequest()), HasSubstr("streams"));
  LoadRequest request = Bursty(std::nan(""));
  EXPECT_THAT(error(request), HasSubstr("rate"));
  EXPECT_THAT(error(Bursty(0)), HasSubstr("rate 0 without a trace"));
  EXPECT_THAT(error(Bursty(2e6)), HasSubstr("rate 2e+06 is not within"));
  request = Bursty(1e6);
  request.seconds = 86'400;
  EXPECT_THAT(error(request), HasSubstr("the number of requests"));
  request = Bursty(1);
  request.seconds = -1;
  EXPECT_THAT(error(request), HasSubstr("seconds -1"));
  request = Bursty(1);
  request.streams[0].priority = "urgent";
  EXPECT_THAT(error(request), HasSubstr("priority \"urgent\""));
  request = Bursty(1);
  request.streams[0].model = "a\r\nb";
  EXPECT_THAT(error(request), HasSubstr("in a name"));
  request = Bursty(1);
  request.api_key = "a\nb";
  EXPECT_THAT(error(request), HasSubstr("API key"));
  request = Bursty(1);
  request.streams[0].deadline_ms = std::numeric_limits<double>::infinity();
  EXPECT_THAT(error(request), HasSubstr("deadline"));
}

TEST(Plan, RampsAreRatesAndTimes) {
  const auto ramp = ParseRamp("1000:5s,0:500ms");
  ASSERT_TRUE(ramp.ok()) << ramp.status();
  ASSERT_EQ(ramp->size(), 2u);
  EXPECT_EQ((*ramp)[0].rate_per_s, 1000);
  EXPECT_EQ((*ramp)[1].seconds, 0.5);
  for (const char* text : {"", ",", "1000", "1000:", ":5s", "1:1s,,2:1s", "-1:1s", "nan:1s"}) {
    const auto wrong = ParseRamp(text);
    ASSERT_FALSE(wrong.ok()) << text;
    EXPECT_THAT(wrong.status().message(), HasSubstr("RATE:TIME"));
  }
}

TEST(Tally, TellsWhatTheFrontCostsFromQueueAndCompute) {
  LoadRequest request;
  request.streams.resize(1);
  Tally tally(request, 1);
  // 101 answers of 2 ms of computing: number k waited k/100 ms for it, and cost half a millisecond besides.
  for (int k = 0; k <= 100; ++k) {
    tally.Sent(0, 0);
    const float queue = static_cast<float>(k) / 100;
    tally.Answered(
        0, 0, true,
        {.latency = 2.5F + queue, .overhead = 0.5F + queue, .queue = queue, .compute = 2}, "");
  }
  LoadResult result;
  tally.Finish(request, 1, &result);
  EXPECT_NEAR(result.total.p50_overhead_ms, 1.0, 1e-6);
  EXPECT_NEAR(result.total.p99_overhead_ms, 1.49, 1e-6);
  EXPECT_NEAR(result.total.p50_front_ms, 0.5, 1e-6);
  EXPECT_NEAR(result.total.p99_front_ms, 0.5, 1e-6);
}

}  // namespace
}  // namespace hone::load
