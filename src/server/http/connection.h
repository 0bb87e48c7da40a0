// One connection of the HTTP front, and the event loop it lives on. Private to this folder: Asio's types
// are here.
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

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/time_ns.h"
#include "server/http/api_keys.h"
#include "server/http/channel.h"
#include "server/http/http_server.h"
#include "server/http/request_parser.h"

namespace hone::server {

class Connection;

// What all loops and connections of a server share.
struct Front {
  Front(const HttpOptions& http_options, HttpHandler http_handler)
      : options(http_options), handler(std::move(http_handler)), keys(http_options.api_keys) {}

  const HttpOptions options;
  const HttpHandler handler;
  const KeyRing keys;
  std::unique_ptr<TlsContext> tls;  // null: in the clear
  std::atomic<bool> stopping = false;
  std::atomic<std::int64_t> connections = 0, open = 0, requests = 0, rejected = 0;
  std::atomic<std::int64_t> bytes_in = 0, bytes_out = 0;
  std::atomic<std::int64_t> held_bytes = 0;  // of bodies that arrive or are being answered
};

struct Loop {
  explicit Loop(std::shared_ptr<Front> shared_front);

  std::shared_ptr<Front> front;
  std::mutex turn;                // for its connections
  boost::asio::io_context io{1};  // one thread runs it
  boost::asio::steady_timer tick;
  bool ticking = false;
  std::vector<char> scratch;
  std::unordered_set<std::shared_ptr<Connection>> connections;
  // How long everything that was ready took, when last measured: the time for which a request lies unread
  // while others have their turn.
  base::TimeNs round_ns = 0;
  bool measuring_round = false;

  void MeasureRound();
  // Has it done on the loop's thread, in its turn.
  template <typename Task>
  void Post(Task task) {
    boost::asio::post(io, [this, task = std::move(task)]() mutable {
      const std::lock_guard lock(turn);
      task();
    });
  }
  // Both on the loop's thread, in its turn.
  void Add(std::shared_ptr<Connection> connection);
  void Tick();  // closes what took too long; goes on while there are connections
};

// A request's way back to its connection. Answers 500 where the handler lets go of it unanswered.
class ReplyTo {
 public:
  ReplyTo(std::shared_ptr<Loop> loop, std::weak_ptr<Connection> connection, std::uint64_t serial)
      : loop_(std::move(loop)), connection_(std::move(connection)), serial_(serial) {}
  ~ReplyTo();
  void Answer(HttpResponse response);  // the first call counts

 private:
  std::shared_ptr<Loop> loop_;
  std::weak_ptr<Connection> connection_;
  const std::uint64_t serial_;
  std::atomic<bool> answered_ = false;
};

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
  void Hold(std::size_t bytes);
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
  std::size_t held_ = 0;  // this connection's part of Front::held_bytes
  std::size_t sent_ = 0;  // of head_ and the response's body; when lingering, bytes thrown away
  std::unique_ptr<RequestParser> parser_;
  std::string ahead_;  // read, and not yet used by a parser
  std::string head_;
  std::unique_ptr<HttpResponse> response_;
  CancelRequest cancel_;
};

}  // namespace hone::server
