// A server's address, and connections to it that never block.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "base/status.h"

namespace hone::load {

struct Url {
  std::string host, port;  // of "http://[::1]:80" the host is "::1"
  std::string shown;       // for the Host header: "127.0.0.1:8080", "[::1]:80"
};

// "http://HOST[:PORT][/]". An error says what is wrong with it; https is one.
base::StatusOr<Url> ParseUrl(std::string_view text);

struct Address {
  sockaddr_storage storage = {};
  socklen_t size = 0;
};

// The first of the host's addresses that takes a connection, which is closed again.
base::StatusOr<Address> FindServer(const Url& url);

// Owns a descriptor.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket();
  Socket(Socket&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Socket& operator=(Socket&& other) noexcept;
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

// A TCP connection that is being made, without delay of small writes. An error where the system refuses
// at once.
base::StatusOr<Socket> BeginConnect(const Address& address);

// Lets this process open `count` descriptors if the system's hard limit does.
base::Status AllowDescriptors(int count);

}  // namespace hone::load
