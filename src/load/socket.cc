#include "load/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/strings.h"

namespace hone::load {
namespace {

constexpr int kConnectSeconds = 5;  // for the first connection; the others never block

}  // namespace

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

base::StatusOr<Url> ParseUrl(std::string_view text) {
  const std::string where = base::StrCat("url \"", text, "\": ");
  if (text.starts_with("https://")) {
    return base::Unsupported(where,
                             "the generator speaks http alone; it measures a server, not TLS");
  }
  if (!text.starts_with("http://")) return base::BadInput(where, "expected http://HOST:PORT");
  std::string_view rest = text.substr(7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find_first_of("/?#@ \t\r\n") != std::string_view::npos) {
    return base::BadInput(where, "expected http://HOST:PORT, without a path or a user");
  }
  Url url{.host = {}, .port = "80", .shown = std::string(rest)};
  std::size_t end = 0;  // of the host
  if (rest.starts_with('[')) {
    end = rest.find(']');
    if (end == std::string_view::npos) return base::BadInput(where, "[ without ]");
    url.host = rest.substr(1, end - 1);
    ++end;
  } else {
    end = std::min(rest.find(':'), rest.size());
    url.host = rest.substr(0, end);
  }
  if (url.host.empty()) return base::BadInput(where, "names no host");
  if (end < rest.size()) {
    url.port = rest.substr(end + 1);
    const bool digits = url.port.find_first_not_of("0123456789") == std::string::npos;
    if (rest[end] != ':' || url.port.empty() || url.port.size() > 5 || !digits ||
        std::stoi(url.port) > 65535 || std::stoi(url.port) == 0) {
      return base::BadInput(where, "the port is a number from 1 to 65535");
    }
  }
  return url;
}

base::StatusOr<Address> FindServer(const Url& url) {
  addrinfo hints = {}, *list = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  const int failure = getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &list);
  if (failure != 0) return base::NotFound(url.host, ": ", gai_strerror(failure));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, freeaddrinfo);
  std::string why = "no address";
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    const Socket socket(::socket(entry->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval limit = {.tv_sec = kConnectSeconds, .tv_usec = 0};
    setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(socket.fd(), entry->ai_addr, entry->ai_addrlen) == 0) {
      Address address{.size = entry->ai_addrlen};
      std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
      return address;
    }
    why = errno == EINPROGRESS ? "no answer" : std::strerror(errno);
  }
  return base::NotFound("cannot connect to http://", url.shown, ": ", why);
}

base::StatusOr<Socket> BeginConnect(const Address& address) {
  Socket socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.fd() < 0) return base::OutOfResource("cannot open a socket: ", std::strerror(errno));
  const int yes = 1;
  setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  const auto* to = reinterpret_cast<const sockaddr*>(&address.storage);
  if (connect(socket.fd(), to, address.size) != 0 && errno != EINPROGRESS) {
    return base::OutOfResource("cannot connect: ", std::strerror(errno));
  }
  return socket;
}

base::Status AllowDescriptors(int count) {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return base::OkStatus();
  const auto wanted = static_cast<rlim_t>(count);
  if (limit.rlim_cur >= wanted) return base::OkStatus();
  if (limit.rlim_max < wanted) {
    return base::OutOfResource("connections need ", count, " descriptors, and the system allows ",
                               static_cast<std::uint64_t>(limit.rlim_max), " (ulimit -Hn)");
  }
  limit.rlim_cur = wanted;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return base::OutOfResource("cannot allow ", count, " descriptors: ", std::strerror(errno));
  }
  return base::OkStatus();
}

}  // namespace hone::load
