// Reads HTTP/1.1 answers off a connection, piece by piece: what a load generator wants to know of them,
// and where they end. Bodies are counted, not kept, but for the beginning of an error's.
//
// Usage
//   ResponseReader reader;
//   while (!reader.done()) {
//     HONE_ASSIGN_OR_RETURN(const std::size_t used, reader.Feed(bytes_just_read));
//     …                            // bytes beyond `used` belong to the next answer
//   }
//   reader.answer().status; reader.Reset();
//
// Reads   Content-Length, chunked bodies with trailers, bodies that end with the connection, interim
//         answers (1xx), answers without a body (204, 304).
// Limits  a line of 8 KiB, 128 header lines, a body of 1 GiB.
// Source  RFC 9112.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace hone::load {

struct Answer {
  int status = 0;
  bool keep_alive = true;  // the connection may carry another request
  std::string rung;        // X-Hone-Rung
  double queue_ms = 0;     // X-Hone-Queue-Ms
  double compute_ms = 0;   // X-Hone-Compute-Ms
  std::uint64_t body_bytes = 0;
  std::string error_body;  // of a status from 400 on: at most its first 4 KiB
};

// What such a body says: {"error": TEXT}, {"error": {"message": TEXT}}, {"message": TEXT} or plain text, in
// one line of at most 300 characters.
std::string ErrorMessage(std::string_view body);

class ResponseReader {
 public:
  // How many of the bytes belong to this answer: all of them until it is done. An error says what is no
  // HTTP; the connection is then of no use.
  base::StatusOr<std::size_t> Feed(std::string_view bytes);
  // The connection was closed: the end of a body that says no length, an error otherwise.
  base::Status Close();

  bool done() const { return state_ == State::kDone; }
  bool started() const { return started_; }  // a byte of it was seen
  const Answer& answer() const { return answer_; }
  void Reset();

 private:
  enum class State : std::uint8_t {
    kStatusLine,
    kHeaders,
    kBody,
    kUntilClose,
    kChunkSize,
    kChunk,
    kChunkEnd,
    kTrailers,
    kDone
  };
  base::Status Line(std::string_view line);
  base::Status StatusLine(std::string_view line);
  base::Status Header(std::string_view line);
  base::Status ChunkSize(std::string_view line);
  base::Status EndOfHeaders();
  base::Status AddBody(std::string_view bytes);

  State state_ = State::kStatusLine;
  bool started_ = false, chunked_ = false, has_length_ = false;
  int header_lines_ = 0;
  std::uint64_t left_ = 0;  // of the body, or of the chunk
  std::string partial_;     // the beginning of a line whose end has not come
  Answer answer_;
};

}  // namespace hone::load
