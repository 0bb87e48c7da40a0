// A request's way back to its connection, from whichever thread answers it. Private to this folder.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "server/http/connection.h"
#include "server/http/loop.h"
#include "server/http/message.h"

namespace hone::server {

// Answers 500 where the handler lets go of it unanswered.
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

}  // namespace hone::server
