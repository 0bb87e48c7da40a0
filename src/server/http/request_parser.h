// The bytes of one HTTP/1.x request, in pieces of any size, to an HttpRequest.
//
// Usage
//   RequestParser parser(limits);
//   switch (parser.Put(bytes, &used)) …   // kNeedMore: again, with what was not used and what follows
//
// Limits  header bytes and fields (431), body (413); a chunk's extensions and trailers count as header.
// Source  RFC 9112; the grammar is Boost.Beast's.  Stricter than it: HTTP/1.1 needs one Host, and no
//         transfer coding but chunked is known.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "server/http/message.h"

namespace hone::server {

struct ParserLimits {
  std::uint32_t header_bytes = 16 << 10;
  std::uint64_t body_bytes = 16 << 20;
};

// Why a request is refused before a handler sees it.
struct HttpFault {
  int status = 400;
  std::string message;
};

enum class ParseProgress : std::uint8_t {
  kNeedMore,
  kHeader,  // once, when the header is whole and a body follows
  kDone,    // what was not used belongs to the next request
  kFailed,  // fault() says why; the connection is of no more use
};

class RequestParser {
 public:
  explicit RequestParser(const ParserLimits& limits);
  ~RequestParser();

  ParseProgress Put(std::string_view bytes, std::size_t* used);

  HttpRequest& request();  // its header from kHeader on, its body when kDone
  const HttpFault& fault() const;
  bool keep_alive() const;        // from kHeader on
  bool expects_continue() const;  // the client waits for "100 Continue" before the body

 private:
  class Grammar;
  std::unique_ptr<Grammar> grammar_;
};

}  // namespace hone::server
