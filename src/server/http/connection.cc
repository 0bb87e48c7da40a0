#include "server/http/connection.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <new>

#include "base/check.h"
#include "env/clock.h"
#include "server/http/reply_to.h"
#include "server/http/response_text.h"

namespace hone::server {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

// Steps a connection takes before others have their turn, so that one full of small pipelined requests
// does not hold up the rest.
constexpr int kStepsAtOnce = 64;
// What a client may send ahead of the answer it waits for.
constexpr std::size_t kMaxAhead = 64 << 10;
// Before a connection that answered with an error is closed, what the client still sends is read, since
// closing over unread bytes resets the connection and can destroy the answer (RFC 9112 §9.6).
constexpr double kLingerS = 2;
constexpr std::size_t kLingerBytes = 4 << 20;

// Who takes an answer more slowly keeps memory from others.
constexpr double kLeastBytesPerS = 16 << 10;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

Connection::Connection(std::shared_ptr<Loop> loop, tcp::socket socket)
    : loop_(std::move(loop)),
      front_(*loop_->front),
      socket_(std::move(socket)),
      channel_(socket_.native_handle()) {}

Connection::~Connection() {
  ahead_ = {};
  Hold(0);
}

void Connection::Start(bool too_many) {
  error_code ignored;
  socket_.native_non_blocking(true, ignored);
  socket_.set_option(tcp::no_delay(true), ignored);
  SetDeadline(front_.options.read_timeout_s);
  if (too_many) {
    ++front_.rejected;
    if (front_.tls != nullptr) return Close();  // a handshake costs what we are short of
    Refuse(503, "too many connections");
    return Advance();
  }
  if (front_.tls != nullptr) {
    SslSession session = front_.tls->Accept(socket_.native_handle());
    if (session == nullptr) return Close();
    channel_ = Channel(socket_.native_handle(), std::move(session));
    state_ = State::kHandshake;
  }
  readable_ = true;  // the request is often there already
  Advance();
}

void Connection::Advance() {
  const auto self = shared_from_this();
  try {
    TakeSteps();
  } catch (const std::bad_alloc&) {  // of a body, say: the others serve on
    Close();
  }
}

void Connection::TakeSteps() {
  for (int step = 0; step < kStepsAtOnce; ++step) {
    bool more = false;
    switch (state_) {
      case State::kHandshake: more = Handshake(); break;
      case State::kReading: more = Read(); break;
      case State::kHandling: more = Handle(); break;
      case State::kWriting: more = Write(); break;
      case State::kLingering: more = Linger(); break;
      case State::kClosed: break;
    }
    if (!more) return;
  }
  loop_->Post([self = shared_from_this()] { self->Advance(); });
}

bool Connection::Handshake() {
  switch (channel_.Handshake().outcome) {
    case IoOutcome::kDone:
      state_ = State::kReading;
      SetDeadline(front_.options.idle_timeout_s);
      return true;
    case IoOutcome::kWantRead: WaitToRead(); return false;
    case IoOutcome::kWantWrite: WaitToWrite(); return false;
    default: Close(); return false;
  }
}

bool Connection::Read() {
  if (unparsed_) {
    unparsed_ = false;
    const std::string bytes = std::move(ahead_);
    ahead_ = {};
    return Parse(bytes);
  }
  if (end_ || (front_.stopping && parser_ == nullptr)) {
    Close();
    return false;
  }
  if (!readable_) {
    WaitToRead();
    return false;
  }
  const IoResult result = channel_.Read(loop_->scratch.data(), loop_->scratch.size());
  switch (result.outcome) {
    case IoOutcome::kDone: break;
    case IoOutcome::kWantRead: readable_ = false; return true;
    case IoOutcome::kWantWrite: WaitToWrite(); return false;
    default: Close(); return false;
  }
  front_.bytes_in += static_cast<std::int64_t>(result.bytes);
  // A short read has emptied the socket; of what TLS still holds nobody would tell.
  if (!channel_.secure() && result.bytes < loop_->scratch.size()) readable_ = false;
  const std::string_view bytes(loop_->scratch.data(), result.bytes);
  if (ahead_.empty()) return Parse(bytes);
  ahead_.append(bytes);
  const std::string all = std::move(ahead_);
  ahead_ = {};
  return Parse(all);
}

bool Connection::Parse(std::string_view bytes) {
  if (parser_ == nullptr) {
    // Empty lines before a request are to be ignored (RFC 9112 §2.2).
    while (bytes.starts_with('\r') || bytes.starts_with('\n')) bytes.remove_prefix(1);
    if (bytes.empty()) return true;
    parser_ = std::make_unique<RequestParser>(
        ParserLimits{front_.options.max_header_bytes, front_.options.max_body_bytes});
    SetDeadline(front_.options.read_timeout_s);
  }
  for (;;) {
    std::size_t used = 0;
    const ParseProgress progress = parser_->Put(bytes, &used);
    bytes.remove_prefix(used);
    if (progress == ParseProgress::kFailed) {
      Refuse(parser_->fault().status, parser_->fault().message);
      return true;
    }
    if (progress == ParseProgress::kHeader && !HeaderDone(!bytes.empty())) return true;
    if (progress == ParseProgress::kNeedMore || progress == ParseProgress::kDone) {
      ahead_.assign(bytes);
      Hold(parser_->request().body.size());
      if (front_.held_bytes > static_cast<std::int64_t>(front_.options.max_held_bytes)) {
        Refuse(503, "too much is being sent to this server at once");
        return true;
      }
    }
    if (progress == ParseProgress::kNeedMore) return true;
    if (progress == ParseProgress::kDone) {
      unparsed_ = !ahead_.empty();
      Dispatch();
      return true;
    }
  }
}

// False where the request was refused.
bool Connection::HeaderDone(bool body_has_begun) {
  // Who has no key sends no body either.
  if (!front_.keys.Admit(&parser_->request())) {
    Refuse(401, "this server wants an API key: Authorization: Bearer KEY");
    return false;
  }
  if (parser_->expects_continue() && !body_has_begun) {
    const IoResult result = channel_.Write(kContinue, {});
    // The socket's buffer is empty: every earlier answer was taken.
    if (result.outcome != IoOutcome::kDone || result.bytes != kContinue.size()) {
      Close();
      return false;
    }
  }
  return true;
}

void Connection::Dispatch() {
  HttpRequest request = std::move(parser_->request());
  close_after_ = !parser_->keep_alive();
  parser_.reset();
  // It has been in the socket for up to the time that the others' turns took since the loop last looked.
  request.arrival = env::NowNs() - loop_->round_ns;
  deadline_ = base::kNeverNs;
  ++front_.requests;
  head_only_ = request.method == "HEAD";
  if (!front_.keys.Admit(&request)) {  // a request without a body was not asked before
    return RefuseAt(request.path, 401, "this server wants an API key: Authorization: Bearer KEY");
  }
  if (head_only_) request.method = "GET";  // the same answer, of which only the header is sent
  if (request.method == "OPTIONS" && request.path == "*") {  // of the server, not of a route
    HttpResponse response{.status = 204, .headers = {{"Allow", "GET, HEAD, POST, OPTIONS"}}};
    return Reply(std::move(response));
  }
  state_ = State::kHandling;
  ++serial_;
  const auto reply =
      std::make_shared<ReplyTo>(loop_, std::weak_ptr<Connection>(shared_from_this()), serial_);
  in_handler_ = true;
  try {
    CancelRequest cancel = front_.handler(
        std::move(request), [reply](HttpResponse response) { reply->Answer(std::move(response)); });
    if (state_ == State::kHandling) cancel_ = std::move(cancel);
  } catch (const std::exception& error) {
    reply->Answer(FailedResponse(error));
  }
  in_handler_ = false;
  loop_->MeasureRound();
  if (end_) CallCancel();
}

bool Connection::AcceptAnswer(std::uint64_t serial, HttpResponse response) {
  if (state_ != State::kHandling || serial != serial_) return false;  // the client is gone
  cancel_ = nullptr;
  CompleteOrFail(&response);
  Reply(std::move(response));
  return true;
}

void Connection::TakeAnswer(std::uint64_t serial, HttpResponse response) {
  if (AcceptAnswer(serial, std::move(response)) && !in_handler_) Advance();
}

void Connection::SendAnswer(std::uint64_t serial, HttpResponse response) {
  if (!AcceptAnswer(serial, std::move(response))) return;
  const bool more = Write();
  // Mostly all is sent, and the loop waits for the next request already.
  const bool waiting = state_ == State::kReading && !unparsed_ && read_wait_;
  if (more && !waiting) loop_->Post([self = shared_from_this()] { self->Advance(); });
}

bool Connection::Handle() {
  // A client that closes while it waits is told from one that sends its next request early.
  while (readable_ && !end_ && HasRoomAhead()) {
    LookAhead();
    if (state_ == State::kClosed) return false;
  }
  if (!end_ && HasRoomAhead()) WaitToRead();
  return false;
}

void Connection::LookAhead() {
  const IoResult result = channel_.Read(loop_->scratch.data(), loop_->scratch.size());
  switch (result.outcome) {
    case IoOutcome::kDone:
      front_.bytes_in += static_cast<std::int64_t>(result.bytes);
      ahead_.append(loop_->scratch.data(), result.bytes);
      Hold(body_);
      unparsed_ = true;
      return;
    case IoOutcome::kWantRead:
    case IoOutcome::kWantWrite: readable_ = false; return;
    case IoOutcome::kEnd:
      // It may still read: the answer is sent once it is there, but nothing more is spent on it.
      end_ = true;
      CallCancel();
      return;
    case IoOutcome::kFailed: Close(); return;
  }
}

void Connection::Refuse(int status, std::string_view message) {
  head_only_ = parser_ != nullptr && parser_->request().method == "HEAD";
  RefuseAt(parser_ == nullptr ? std::string_view() : parser_->request().path, status, message);
}

void Connection::RefuseAt(std::string_view path, int status, std::string_view message) {
  ++front_.rejected;
  close_after_ = true;
  const RefusalWriter& write = front_.options.refusal;
  Reply(write ? write(path, status, message) : ErrorResponse(status, message));
  parser_.reset();
}

void Connection::Reply(HttpResponse response) {
  if (front_.stopping || end_) close_after_ = true;
  response_ = std::make_unique<HttpResponse>(std::move(response));
  if (!MayHaveBody(response_->status)) response_->body.clear();
  head_ = ResponseHead(*response_, !close_after_);
  if (head_only_) response_->body.clear();
  Hold(response_->body.size());
  sent_ = 0;
  state_ = State::kWriting;
  SetDeadline(front_.options.read_timeout_s +
              static_cast<double>(response_->body.size()) / kLeastBytesPerS);
}

bool Connection::Write() {
  const std::string_view head = std::string_view(head_).substr(std::min(sent_, head_.size()));
  const std::string_view body =
      std::string_view(response_->body).substr(sent_ > head_.size() ? sent_ - head_.size() : 0);
  const IoResult result = channel_.Write(head, body);
  switch (result.outcome) {
    case IoOutcome::kDone:
      front_.bytes_out += static_cast<std::int64_t>(result.bytes);
      sent_ += result.bytes;
      if (sent_ == head_.size() + response_->body.size()) Written();
      return true;
    case IoOutcome::kWantWrite: WaitToWrite(); return false;
    case IoOutcome::kWantRead: WaitToRead(); return false;
    default: Close(); return false;
  }
}

void Connection::Written() {
  head_ = {};
  response_.reset();
  Hold(0);
  if (!close_after_) {
    state_ = State::kReading;
    SetDeadline(front_.options.idle_timeout_s);
    return;
  }
  channel_.EndSending();
  if (front_.stopping && ahead_.empty()) return Close();
  ahead_ = {};
  sent_ = 0;
  readable_ = true;
  state_ = State::kLingering;
  SetDeadline(kLingerS);
}

bool Connection::Linger() {
  if (end_ || sent_ > kLingerBytes) {
    Close();
    return false;
  }
  const IoResult result = channel_.Read(loop_->scratch.data(), loop_->scratch.size());
  switch (result.outcome) {
    case IoOutcome::kDone: sent_ += result.bytes; return true;
    case IoOutcome::kWantRead: WaitToRead(); return false;
    default: Close(); return false;
  }
}

void Connection::Expire() {
  if (state_ == State::kReading && parser_ != nullptr) {
    Refuse(408,
           base::StrCat("the request did not arrive within ", front_.options.read_timeout_s, " s"));
    return Advance();
  }
  Close();
}

void Connection::Drain() {
  if (state_ == State::kHandshake || state_ == State::kLingering ||
      (state_ == State::kReading && parser_ == nullptr && !unparsed_)) {
    return Close();
  }
  close_after_ = true;
}

void Connection::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  error_code ignored;
  socket_.close(ignored);
  parser_.reset();
  response_.reset();
  ahead_ = {};
  Hold(0);
  --front_.open;
  CallCancel();
  loop_->connections.erase(shared_from_this());
}

void Connection::CallCancel() {
  if (!cancel_) return;
  const CancelRequest cancel = std::move(cancel_);
  cancel_ = nullptr;
  cancel();
}

void Connection::Hold(std::size_t body) {
  body_ = body;
  const std::size_t bytes = body + ahead_.size();
  if (bytes == held_) return;
  front_.held_bytes += static_cast<std::int64_t>(bytes) - static_cast<std::int64_t>(held_);
  held_ = bytes;
}

// More may be read ahead of the answer that the client waits for.
bool Connection::HasRoomAhead() const {
  return ahead_.size() < kMaxAhead &&
         front_.held_bytes <= static_cast<std::int64_t>(front_.options.max_held_bytes);
}

void Connection::WaitToRead() {
  readable_ = false;
  if (read_wait_) return;
  read_wait_ = true;
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
    const std::lock_guard turn(self->loop_->turn);
    self->read_wait_ = false;
    if (self->state_ == State::kClosed) return;
    if (error) return self->Close();
    self->readable_ = true;
    self->Advance();
  });
}

void Connection::WaitToWrite() {
  if (write_wait_) return;
  write_wait_ = true;
  socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](error_code error) {
    const std::lock_guard turn(self->loop_->turn);
    self->write_wait_ = false;
    if (self->state_ == State::kClosed) return;
    if (error) return self->Close();
    self->Advance();
  });
}

void Connection::SetDeadline(double seconds) {
  deadline_ = env::NowNs() + static_cast<base::TimeNs>(seconds * base::kSecondNs);
}

}  // namespace hone::server
