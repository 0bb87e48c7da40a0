// Bytes over a connected, non-blocking socket, in the clear or through TLS. Whoever holds it waits for
// readiness; nothing here blocks or buffers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/http/tls.h"

namespace hone::server {

enum class IoOutcome : std::uint8_t {
  kDone,
  kWantRead,   // again when the socket can be read
  kWantWrite,  // again when it can be written
  kEnd,        // the other side sends no more
  kFailed,     // the connection is gone
};

struct IoResult {
  IoOutcome outcome = IoOutcome::kFailed;
  std::size_t bytes = 0;  // of kDone, at least one
};

class Channel {
 public:
  explicit Channel(int socket) : socket_(socket) {}
  Channel(int socket, SslSession ssl) : socket_(socket), ssl_(std::move(ssl)) {}

  bool secure() const { return ssl_ != nullptr; }
  IoResult Handshake();  // kDone at once without TLS
  IoResult Read(char* data, std::size_t size);
  // Some of head, then of body, in one call to the system; together at least one byte.
  IoResult Write(std::string_view head, std::string_view body);
  // Says that nothing more will be sent. As much as the socket takes now.
  void EndSending();

 private:
  IoResult SslResult(int result);
  int socket_;
  SslSession ssl_;
};

}  // namespace hone::server
