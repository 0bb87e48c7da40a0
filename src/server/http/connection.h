// One connection of the HTTP front. Private to this folder: Asio's types are here.
//
// A connection is a small state machine over readiness: it asks the loop to say when its socket can be
// read or written, and then goes on as far as it can without waiting (Advance). Bytes are read into the
// loop's one scratch buffer and parsed from there; a connection keeps only what a request left over, so
// that an idle one holds no buffer at all.
//
//   handshake → reading ⇄ handling → writing → reading …
//                  └──────────────────┴→ lingering → closed
//
// Threads  a connection is touched by who has its loop's turn: the loop's thread, for each thing it does, or
//          the one that brings an answer and finds the turn free, for sending it (HttpResponse::at_once).
//          All other answers are posted to the loop's thread.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/time_ns.h"
#include "server/http/channel.h"
#include "server/http/loop.h"
#include "server/http/request_parser.h"

namespace hone::server {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Loop> loop, boost::asio::ip::tcp::socket socket);
  ~Connection();

  void Start(bool too_many);
  void Advance();
  // Its deadline has passed.
  void Expire();
  base::TimeNs deadline() const { return deadline_; }
  bool in_handler() const { return in_handler_; }
  // Closes it where nothing is under way; otherwise after the answer.
  void Drain();
  void Close();
  void TakeAnswer(std::uint64_t serial, HttpResponse response);
  // The same on another thread than the loop's, which has its turn: does not go on to another request.
  void SendAnswer(std::uint64_t serial, HttpResponse response);

 private:
  enum class State : std::uint8_t {
    kHandshake,
    kReading,
    kHandling,
    kWriting,
    kLingering,
    kClosed
  };

  void TakeSteps();
  // Each returns whether to go on at once.
  bool Handshake();
  bool Read();
  bool Parse(std::string_view bytes);
  bool Handle();
  bool Write();
  bool Linger();

  bool HeaderDone(bool body_has_begun);
  void Dispatch();
  void LookAhead();
  void Refuse(int status, std::string_view message);
  void RefuseAt(std::string_view path, int status, std::string_view message);
  bool AcceptAnswer(std::uint64_t serial, HttpResponse response);
  void Reply(HttpResponse response);
  void Written();
  void CallCancel();
  void Hold(std::size_t body);
  bool HasRoomAhead() const;
  void WaitToRead();
  void WaitToWrite();
  void SetDeadline(double seconds);

  std::shared_ptr<Loop> loop_;
  Front& front_;
  boost::asio::ip::tcp::socket socket_;
  Channel channel_;
  State state_ = State::kReading;
  bool readable_ = false;  // reading may bring something
  bool read_wait_ = false, write_wait_ = false;
  bool end_ = false;       // the client sends no more
  bool unparsed_ = false;  // ahead_ holds the beginning of another request
  bool close_after_ = false, head_only_ = false, in_handler_ = false;
  std::uint64_t serial_ = 0;  // of the request being answered
  base::TimeNs deadline_ = base::kNeverNs;
  std::size_t body_ = 0;  // bytes of the request's or the response's
  std::size_t held_ = 0;  // with what was read ahead: this connection's part of Front::held_bytes
  std::size_t sent_ = 0;  // of head_ and the response's body; when lingering, bytes thrown away
  std::unique_ptr<RequestParser> parser_;
  std::string ahead_;  // read, and not yet used by a parser
  std::string head_;
  std::unique_ptr<HttpResponse> response_;
  CancelRequest cancel_;
};

}  // namespace hone::server
