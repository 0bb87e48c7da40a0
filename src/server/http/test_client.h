// A client of raw bytes for the tests of the HTTP front.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

namespace hone::server {

struct TestReply {
  int status = 0;                              // 0: the connection ended before an answer
  std::map<std::string, std::string> headers;  // names as sent
  std::string body;
};

class TestClient {
 public:
  explicit TestClient(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~TestClient() { Close(); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  bool connected() const { return connected_; }
  int socket_number() const { return socket_; }

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // refused: the answer tells
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void EndSending() { shutdown(socket_, SHUT_WR); }
  void Close() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }
  // Closes with a reset.
  void Reset() {
    const linger now = {1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    Close();
  }

  // The next answer. `head_only`: it answers HEAD, and has no body whatever its length says.
  TestReply Receive(bool head_only = false) {
    TestReply reply;
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!More()) return reply;
    }
    std::string head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    reply.status = std::atoi(head.substr(9, 3).c_str());
    for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
      const std::size_t line = head.find("\r\n", at), colon = head.find(": ", at);
      reply.headers[head.substr(at, colon - at)] = head.substr(colon + 2, line - colon - 2);
      at = line + 2;
    }
    if (head_only || reply.status < 200) return reply;
    const auto length = reply.headers.find("Content-Length");
    const auto size = length == reply.headers.end()
                          ? 0
                          : static_cast<std::size_t>(std::atoi(length->second.c_str()));
    while (buffer_.size() < size) {
      if (!More()) return {};
    }
    reply.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return reply;
  }
  TestReply Ask(std::string_view bytes) {
    Send(bytes);
    return Receive();
  }
  // Whether the server ends the connection, with nothing more to say.
  bool Ended() { return buffer_.empty() && !More(); }
  // Whether the server has said anything within so many milliseconds.
  bool SaysWithin(int ms) {
    pollfd wait = {socket_, POLLIN, 0};
    return !buffer_.empty() || poll(&wait, 1, ms) > 0;
  }

 private:
  bool More() {
    char bytes[65536];
    pollfd wait = {socket_, POLLIN, 0};
    if (poll(&wait, 1, 20'000) <= 0) return false;  // far longer than any test waits rightly
    const ssize_t size = recv(socket_, bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(size));
    return true;
  }

  int socket_;
  bool connected_ = false;
  std::string buffer_;
};

}  // namespace hone::server
