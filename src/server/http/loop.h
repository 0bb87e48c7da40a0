// An event loop of the HTTP front, its connections, and what all loops share. Private to this folder: Asio's
// types are here.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/time_ns.h"
#include "server/http/api_keys.h"
#include "server/http/http_server.h"
#include "server/http/tls.h"

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
  std::mutex turn;                // for its connections, and all that follows but `io`
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

}  // namespace hone::server
