#include "server/http/request_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "server/http/target.h"

namespace hone::server {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

constexpr std::size_t kMaxFields = 128;
// Memory is taken for a body as it comes; what the client announces is believed only so far.
constexpr std::uint64_t kReserveAtMost = 64 << 10;

// The characters of a host and port (RFC 3986 §3.2.2); which of them make sense is a resolver's question.
bool IsHost(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~%!$&'()*+,;=:[]").find(c) != std::string_view::npos;
  });
}

HttpFault TargetTooLong(const ParserLimits& limits) {
  return {414, base::StrCat("the target is longer than ", limits.header_bytes, " bytes")};
}

HttpFault HeaderTooLarge(const ParserLimits& limits) {
  return {431, base::StrCat("the header is larger than ", limits.header_bytes, " bytes")};
}

HttpFault FaultOf(const error_code& error, const ParserLimits& limits) {
  if (error == http::error::body_limit || error == http::error::buffer_overflow) {
    return {413, base::StrCat("the body is larger than ", limits.body_bytes, " bytes")};
  }
  if (error == http::error::bad_version) return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  return {400, base::StrCat("not HTTP: ", error.message())};
}

}  // namespace

// Beast calls back for every part; nothing is kept but the request itself.
class RequestParser::Grammar : public http::basic_parser<true> {
 public:
  explicit Grammar(const ParserLimits& limits) : limits_(limits) {
    // Beast counts a header against its limit piece by piece, and by other pieces it comes to another sum:
    // Put counts.
    header_limit(std::numeric_limits<std::uint32_t>::max());
    body_limit(limits.body_bytes);
  }

  ParseProgress Put(std::string_view bytes, std::size_t* used);
  HttpRequest& request() { return request_; }
  const HttpFault& fault() const { return fault_; }
  bool expects_continue() const { return expects_continue_; }

 private:
  void Refuse(error_code& error, int status, std::string message) {
    if (fault_.message.empty()) fault_ = {status, std::move(message)};
    error = http::error::bad_value;
  }

  void on_request_impl(http::verb, BeastView method, BeastView target, int version,
                       error_code& error) override {
    request_.method.assign(method.data(), method.size());
    http_1_0_ = version < 11;
    target_bytes_ = target.size();
    const base::Status status = ParseTarget({target.data(), target.size()}, &request_);
    if (!status.ok()) Refuse(error, 400, status.message());
  }
  void on_response_impl(int, BeastView, int, error_code&) override {}
  void on_field_impl(http::field, BeastView name, BeastView value, error_code& error) override {
    if (in_body_) return;  // a trailer: read, and of no use to anybody here
    if (request_.headers.size() == kMaxFields) {
      return Refuse(error, 431, base::StrCat("more than ", kMaxFields, " header fields"));
    }
    std::string lower = base::AsciiLower({name.data(), name.size()});
    if (OccursOnce(lower) && request_.Header(lower)) {
      return Refuse(error, 400, base::StrCat("the field ", lower, " is given twice"));
    }
    request_.headers.emplace_back(std::move(lower), std::string(value.data(), value.size()));
  }
  void on_header_impl(error_code& error) override { CheckHeader(error); }
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
    in_body_ = true;
    if (length) request_.body.reserve(std::min(*length, kReserveAtMost));
  }
  std::size_t on_body_impl(BeastView body, error_code&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, BeastView, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, BeastView body, error_code&) override {
    request_.body.append(body.data(), body.size());
    return body.size();
  }
  void on_finish_impl(error_code&) override {}

  void CheckHeader(error_code& error);

  ParserLimits limits_;
  HttpRequest request_;
  HttpFault fault_;
  std::size_t header_used_ = 0;
  std::optional<std::size_t> target_bytes_;  // once it is read
  bool in_body_ = false, expects_continue_ = false, http_1_0_ = false, told_header_ = false;
};

void RequestParser::Grammar::CheckHeader(error_code& error) {
  int hosts = 0;
  for (const auto& [name, value] : request_.headers) {
    if (name == "host") {
      ++hosts;
      if (!IsHost(value)) return Refuse(error, 400, "the Host field is no host and port");
    }
    if (name == "transfer-encoding" && http_1_0_) {
      // It may be older than the framing it claims to know, and a proxy before it read another (RFC 9112 §6.1).
      return Refuse(error, 400, "HTTP/1.0 has no Transfer-Encoding");
    }
    if (name == "transfer-encoding" && base::AsciiLower(value) != "chunked") {
      return Refuse(error, 501, "no Transfer-Encoding but \"chunked\" is known");
    }
    if (name == "content-encoding" && base::AsciiLower(value) != "identity") {
      return Refuse(error, 415, base::StrCat("Content-Encoding \"", value, "\" is not supported"));
    }
    if (name == "expect") {
      if (base::AsciiLower(value) != "100-continue") {
        return Refuse(error, 417, "no Expect but \"100-continue\" is known");
      }
      expects_continue_ = !http_1_0_;
    }
  }
  if (hosts > 1 || (hosts == 0 && !http_1_0_)) {
    Refuse(error, 400, "an HTTP/1.1 request needs one Host field");
  }
}

ParseProgress RequestParser::Grammar::Put(std::string_view bytes, std::size_t* used) {
  *used = 0;
  while (!is_done()) {
    if (bytes.empty()) return ParseProgress::kNeedMore;
    // A chunked body ends with "0", CRLF, CRLF: so many bytes are still to come wherever it is cut, and Beast
    // asserts that they are there once it has seen the line of the last chunk.
    constexpr std::size_t kShortestEnd = 5;
    if (is_header_done() && chunked() && bytes.size() < kShortestEnd) {
      return ParseProgress::kNeedMore;
    }
    error_code error;
    const bool in_header = !is_header_done();
    const std::size_t taken = put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    *used += taken;
    bytes.remove_prefix(std::min(taken, bytes.size()));
    if (in_header) {
      header_used_ += taken;
      // Of an incomplete header what was shown and not used counts as well. A whole one that is refused
      // (its body would be too large) is not incomplete, and what follows it is its body.
      const bool incomplete = !is_header_done() && error == http::error::need_more;
      const std::size_t seen = header_used_ + (incomplete ? bytes.size() : 0);
      if (seen > limits_.header_bytes) {
        const bool by_target = !target_bytes_ || *target_bytes_ > limits_.header_bytes;
        fault_ = by_target ? TargetTooLong(limits_) : HeaderTooLarge(limits_);
        return ParseProgress::kFailed;
      }
    }
    if (error && error != http::error::need_more) {
      if (fault_.message.empty()) fault_ = FaultOf(error, limits_);
      return ParseProgress::kFailed;
    }
    if (is_header_done() && !told_header_) {
      told_header_ = true;
      if (!is_done()) return ParseProgress::kHeader;
    }
    if (error != http::error::need_more) continue;
    // A line of a chunked body is as bounded as a header.
    if (!in_header && bytes.size() > limits_.header_bytes) {
      fault_ = {431, base::StrCat("a chunk's header or trailer is larger than ",
                                  limits_.header_bytes, " bytes")};
      return ParseProgress::kFailed;
    }
    return ParseProgress::kNeedMore;
  }
  return ParseProgress::kDone;
}

RequestParser::RequestParser(const ParserLimits& limits)
    : grammar_(std::make_unique<Grammar>(limits)) {}
RequestParser::~RequestParser() = default;

ParseProgress RequestParser::Put(std::string_view bytes, std::size_t* used) {
  return grammar_->Put(bytes, used);
}
HttpRequest& RequestParser::request() {
  return grammar_->request();
}
const HttpFault& RequestParser::fault() const {
  return grammar_->fault();
}
bool RequestParser::keep_alive() const {
  return grammar_->keep_alive();
}
bool RequestParser::expects_continue() const {
  return grammar_->expects_continue();
}

}  // namespace hone::server
