#include "server/http/reply_to.h"

#include <mutex>

#include "server/http/response_text.h"

namespace hone::server {

ReplyTo::~ReplyTo() {
  if (!answered_) Answer(ErrorResponse(500, "the request was dropped"));
}

void ReplyTo::Answer(HttpResponse response) {
  if (answered_.exchange(true)) return;
  if (loop_->io.get_executor().running_in_this_thread()) {
    // A handler that answers before it returns needs no way round through the queue.
    const auto held = connection_.lock();
    if (held == nullptr) return;
    if (held->in_handler()) return held->TakeAnswer(serial_, std::move(response));
  } else if (response.at_once) {
    CompleteOrFail(&response);  // before others are kept from their turn
    const std::unique_lock turn(loop_->turn, std::try_to_lock);
    if (turn) {
      if (const auto held = connection_.lock()) held->SendAnswer(serial_, std::move(response));
      return;
    }
  }
  // Nothing that keeps the loop alive may lie in its own queue, which could outlive its thread.
  loop_->Post([connection = connection_, serial = serial_, answer = std::move(response)]() mutable {
    if (const auto held = connection.lock()) held->TakeAnswer(serial, std::move(answer));
  });
}

}  // namespace hone::server
