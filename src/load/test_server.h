// A server for tests: plain sockets, a thread a connection, and answers that the test writes byte by byte.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/strings.h"

namespace hone::load {

class TestServer {
 public:
  // The bytes that answer a request; `number` counts them over all connections. Empty: close instead.
  // An answer that says "Connection: close" closes behind it.
  using Script = std::function<std::string(const std::string& request, int number)>;

  explicit TestServer(Script script) : script_(std::move(script)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 1024), 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~TestServer() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    close(listener_);
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    for (std::thread& thread : threads_) thread.join();
    for (const int fd : open_) close(fd);
  }

  std::string url() const { return base::StrCat("http://127.0.0.1:", port_); }
  int requests() const { return requests_; }
  int connections() const { return connections_; }

  static std::string Reply(int status, const std::string& headers = "",
                           const std::string& body = "[]") {
    return base::StrCat("HTTP/1.1 ", status, " Reason\r\n", headers,
                        "Content-Length: ", body.size(), "\r\n\r\n", body);
  }

 private:
  void Accept() {
    for (;;) {
      const int fd = accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] { Serve(fd); });
    }
  }

  // False at the end of the connection; else *request is one whole request.
  static bool ReadRequest(int fd, std::string* rest, std::string* request) {
    for (;;) {
      const std::size_t head = rest->find("\r\n\r\n");
      if (head != std::string::npos) {
        const std::size_t field = rest->find("Content-Length: ");
        const std::size_t size = head + 4 + std::stoul(rest->substr(field + 16, 10));
        if (rest->size() >= size) {
          *request = rest->substr(0, size);
          rest->erase(0, size);
          return true;
        }
      }
      char bytes[4096];
      const ssize_t count = recv(fd, bytes, sizeof bytes, 0);
      if (count <= 0) return false;
      rest->append(bytes, static_cast<std::size_t>(count));
    }
  }

  void Serve(int fd) {
    std::string rest, request;
    // The generator's look at whether anybody is there brings no request and counts as no connection.
    for (bool first = true; ReadRequest(fd, &rest, &request); first = false) {
      if (first) ++connections_;
      const std::string reply = script_(request, requests_++);
      for (std::size_t at = 0; at < reply.size();) {
        const ssize_t count = send(fd, reply.data() + at, reply.size() - at, MSG_NOSIGNAL);
        if (count <= 0) break;
        at += static_cast<std::size_t>(count);
      }
      if (reply.empty() || reply.find("Connection: close") != std::string::npos) break;
    }
    shutdown(fd, SHUT_RDWR);
  }

  Script script_;
  int listener_ = -1, port_ = 0;
  std::atomic<int> requests_ = 0, connections_ = 0;
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace hone::load
