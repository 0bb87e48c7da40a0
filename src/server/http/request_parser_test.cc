// Parts of the front that need no socket.
#include "server/http/request_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "server/http/http_server.h"
#include "server/http/response_text.h"
#include "server/http/target.h"

namespace hone::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;

TEST(RequestParser, LeavesTheNextRequestAlone) {
  RequestParser parser({});
  const std::string_view two =
      "POST /a HTTP/1.1\r\nHost: h\r\nX-Mixed: Kept As Is \r\nContent-Length: 2\r\n\r\nhiGET";
  std::size_t used = 0;
  ASSERT_EQ(parser.Put(two, &used), ParseProgress::kHeader);
  EXPECT_EQ(parser.request().Header("x-mixed"), "Kept As Is");
  std::size_t more = 0;
  ASSERT_EQ(parser.Put(two.substr(used), &more), ParseProgress::kDone);
  EXPECT_EQ(two.substr(used + more), "GET");
  EXPECT_EQ(parser.request().body, "hi");
  EXPECT_TRUE(parser.keep_alive());
  EXPECT_FALSE(parser.expects_continue());
}

TEST(RequestParser, CountsAHeaderAlikeInAnyPieces) {
  const std::string_view begin = "GET /a HTTP/1.1\r\nHost: h\r\nX-Long: ";
  for (const std::size_t size : {std::size_t{128}, std::size_t{129}}) {
    // A header of `size` bytes, and something after it that does not count.
    const std::string request =
        base::StrCat(begin, std::string(size - begin.size() - 4, 'x'), "\r\n\r\n", "GET /next");
    for (const std::size_t step : {std::size_t{1}, std::size_t{5}, request.size()}) {
      RequestParser parser({.header_bytes = 128});
      std::string ahead;
      ParseProgress progress = ParseProgress::kNeedMore;
      for (std::size_t at = 0; at < request.size() && progress == ParseProgress::kNeedMore;
           at += step) {
        ahead.append(request, at, step);
        std::size_t used = 0;
        progress = parser.Put(ahead, &used);
        ahead.erase(0, used);
      }
      if (size == 128) {
        EXPECT_EQ(progress, ParseProgress::kDone) << step;
      } else {
        ASSERT_EQ(progress, ParseProgress::kFailed) << step;
        EXPECT_EQ(parser.fault().status, 431);
      }
    }
  }
}

TEST(RequestParser, TakesNoBodyForAHeader) {
  RequestParser parser({.header_bytes = 128, .body_bytes = 1000});
  std::size_t used = 0;
  const std::string request = base::StrCat(
      "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", std::string(1001, 'x'));
  ASSERT_EQ(parser.Put(request, &used), ParseProgress::kFailed);
  EXPECT_EQ(parser.fault().status, 413);
  EXPECT_EQ(parser.fault().message, "the body is larger than 1000 bytes");
}

TEST(RequestParser, TakesAChunkedBodyByteByByte) {
  const std::string request =
      "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
      "2;x=y\r\nbc\r\n0\r\nTrailer: x\r\n\r\nnext";
  for (std::size_t step = 1; step <= request.size(); ++step) {
    RequestParser parser({.header_bytes = 128});
    std::string ahead, rest = request;
    ParseProgress progress = ParseProgress::kNeedMore;
    while (progress == ParseProgress::kNeedMore && !rest.empty()) {
      ahead.append(rest, 0, step);
      rest.erase(0, step);
      do {
        std::size_t used = 0;
        progress = parser.Put(ahead, &used);
        ahead.erase(0, used);
      } while (progress == ParseProgress::kHeader);
    }
    ASSERT_EQ(progress, ParseProgress::kDone) << step;
    EXPECT_EQ(parser.request().body, "abc") << step;
    EXPECT_EQ(ahead + rest, "next") << step;
  }
}

// Of two values a proxy may have taken the other.
TEST(RequestParser, RefusesTwoValuesOfWhatIsReadAsOne) {
  const auto progress = [](std::string_view field, RequestParser* parser) {
    std::size_t used = 0;
    return parser->Put(base::StrCat("GET / HTTP/1.1\r\nHost: h\r\n", field, ": 1\r\nOther: 2\r\n",
                                    field, ": 1\r\n\r\n"),
                       &used);
  };
  for (const std::string_view field : {"X-Hone-Deadline-Ms", "AUTHORIZATION", "content-type",
                                       "Inference-Header-Content-Length", "Origin"}) {
    RequestParser parser({});
    ASSERT_EQ(progress(field, &parser), ParseProgress::kFailed) << field;
    EXPECT_EQ(parser.fault().status, 400);
    EXPECT_EQ(parser.fault().message,
              base::StrCat("the field ", base::AsciiLower(field), " is given twice"));
  }
  RequestParser parser({});
  EXPECT_EQ(progress("Accept", &parser), ParseProgress::kDone);
}

TEST(Target, IsDecoded) {
  HttpRequest request;
  ASSERT_TRUE(ParseTarget("/v1/caf%C3%A9/a+b?x=1&y=a+b%26c&flag&&z=", &request).ok());
  EXPECT_EQ(request.path, "/v1/café/a+b");
  EXPECT_THAT(request.query,
              ElementsAre(Pair("x", "1"), Pair("y", "a b&c"), Pair("flag", ""), Pair("z", "")));
  ASSERT_TRUE(ParseTarget("http://host:80/path?q=1#part", &request).ok());
  EXPECT_EQ(request.path, "/path");
  EXPECT_THAT(request.query, ElementsAre(Pair("q", "1")));
  ASSERT_TRUE(ParseTarget("http://host?q", &request).ok());
  EXPECT_EQ(request.path, "/");
  for (const char* wrong : {"/%", "/%4", "/%g0", "/?a=%zz", "/%c3", "path", ""}) {
    EXPECT_FALSE(ParseTarget(wrong, &request).ok()) << wrong;
  }
}

TEST(ResponseText, SaysLengthAndConnection) {
  const HttpResponse response{.status = 404, .body = "abc", .headers = {{"X-A", "b"}}};
  std::string head = ResponseHead(response, true);
  const std::size_t date = head.find("Date: ");
  ASSERT_NE(date, std::string::npos);
  head.erase(date, HttpDate(0).size() + std::string_view("Date: \r\n").size());
  EXPECT_EQ(head,
            "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 3\r\n"
            "X-A: b\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(HttpDate(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110's example
  EXPECT_EQ(HttpDate(951'782'400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_THAT(ResponseHead({.status = 799}, false), StartsWith("HTTP/1.1 799 \r\n"));
  EXPECT_EQ(ErrorResponse(413, "too \"much\"").body,
            R"({"error":{"code":413,"message":"too \"much\"","type":"invalid_request_error"}})");
}

TEST(ApiKeys, HaveNamesOrNumbers) {
  const auto keys = ParseApiKeys("# comment\n\nalice: one\ntwo\r\n bob : th:ree \n", "keys");
  ASSERT_TRUE(keys.ok()) << keys.status();
  EXPECT_THAT(*keys,
              ElementsAre(Pair("alice", "one"), Pair("key-4", "two"), Pair("bob", "th:ree")));
  const auto error = [](std::string_view text) {
    return ParseApiKeys(text, "keys").status().message();
  };
  EXPECT_THAT(error("a: b\n: c\n"), StartsWith("keys:2: the name"));
  EXPECT_THAT(error("a:\n"), StartsWith("keys:1: a key is"));
  EXPECT_THAT(error("a: two words\n"), StartsWith("keys:1: a key is"));
  EXPECT_THAT(error("a: b\nc: b\n"), StartsWith("keys:2: the key of \"a\" again"));
  EXPECT_THAT(error("\n# none\n"), HasSubstr("holds no key"));
  EXPECT_THAT(error("a: s\xc3\xa9"
                    "cret"),
              Not(HasSubstr("cret")));
}

}  // namespace
}  // namespace hone::server
