#include "server/http/channel.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace hone::server {
namespace {

// A TLS record holds at most 16 KiB (RFC 8446 §5.1); head and body of a small answer go in one.
constexpr std::size_t kRecord = 16 << 10;

IoResult SystemResult(ssize_t result, IoOutcome again) {
  if (result > 0) return {IoOutcome::kDone, static_cast<std::size_t>(result)};
  if (result == 0) return {IoOutcome::kEnd};
  return {errno == EAGAIN || errno == EWOULDBLOCK ? again : IoOutcome::kFailed};
}

}  // namespace

IoResult Channel::SslResult(int result) {
  if (result > 0) return {IoOutcome::kDone, static_cast<std::size_t>(result)};
  const int error = SSL_get_error(ssl_.get(), result);
  ERR_clear_error();  // the queue is the thread's, and other connections read it too
  switch (error) {
    case SSL_ERROR_WANT_READ: return {IoOutcome::kWantRead};
    case SSL_ERROR_WANT_WRITE: return {IoOutcome::kWantWrite};
    case SSL_ERROR_ZERO_RETURN: return {IoOutcome::kEnd};
    default: return {IoOutcome::kFailed};
  }
}

IoResult Channel::Handshake() {
  if (ssl_ == nullptr) return {IoOutcome::kDone, 1};
  return SslResult(SSL_do_handshake(ssl_.get()));
}

IoResult Channel::Read(char* data, std::size_t size) {
  if (ssl_ != nullptr) {
    return SslResult(
        SSL_read(ssl_.get(), data, static_cast<int>(std::min<std::size_t>(size, 1 << 20))));
  }
  ssize_t result;
  do {
    result = recv(socket_, data, size, 0);
  } while (result < 0 && errno == EINTR);
  return SystemResult(result, IoOutcome::kWantRead);
}

IoResult Channel::Write(std::string_view head, std::string_view body) {
  if (ssl_ != nullptr) {
    if (head.empty() || body.empty()) {
      const std::string_view part = (head.empty() ? body : head).substr(0, 1 << 20);
      return SslResult(SSL_write(ssl_.get(), part.data(), static_cast<int>(part.size())));
    }
    std::array<char, kRecord> record;
    const std::size_t first = std::min(head.size(), record.size());
    const std::size_t second = std::min(body.size(), record.size() - first);
    std::memcpy(record.data(), head.data(), first);
    if (second > 0) std::memcpy(record.data() + first, body.data(), second);
    return SslResult(SSL_write(ssl_.get(), record.data(), static_cast<int>(first + second)));
  }
  iovec parts[2] = {{const_cast<char*>(head.data()), head.size()},
                    {const_cast<char*>(body.data()), body.size()}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  ssize_t result;
  do {
    result = sendmsg(socket_, &message, MSG_NOSIGNAL);
  } while (result < 0 && errno == EINTR);
  return SystemResult(result, IoOutcome::kWantWrite);
}

void Channel::EndSending() {
  if (ssl_ != nullptr) {
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  shutdown(socket_, SHUT_WR);
}

}  // namespace hone::server
