#include "server/http/loop.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <mutex>

#include "env/clock.h"
#include "server/http/connection.h"

namespace hone::server {
namespace {

using boost::system::error_code;

constexpr std::size_t kScratchBytes = 64 << 10;

}  // namespace

Loop::Loop(std::shared_ptr<Front> shared_front)
    : front(std::move(shared_front)), tick(io), scratch(kScratchBytes) {}

void Loop::Add(std::shared_ptr<Connection> connection) {
  connections.insert(std::move(connection));
  if (!ticking) Tick();
}

void Loop::MeasureRound() {
  if (measuring_round) return;
  measuring_round = true;
  // Queued behind all that is ready now.
  Post([this, start = env::NowNs()] {
    round_ns = env::NowNs() - start;
    measuring_round = false;
  });
}

void Loop::Tick() {
  const base::TimeNs now = env::NowNs();
  std::vector<std::shared_ptr<Connection>> late;
  for (const auto& connection : connections) {
    if (connection->deadline() < now) late.push_back(connection);
  }
  for (const auto& connection : late) connection->Expire();
  ticking = !connections.empty();
  if (!ticking) return;
  // Times out within an eighth of what was promised, and costs one wake-up a second at most.
  const double shortest =
      std::min(front->options.read_timeout_s, front->options.idle_timeout_s) / 8;
  const auto pause = std::chrono::duration<double>(std::clamp(shortest, 0.005, 1.0));
  tick.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(pause));
  tick.async_wait([this](error_code aborted) {
    const std::lock_guard lock(turn);
    if (!aborted) Tick();
  });
}

}  // namespace hone::server
