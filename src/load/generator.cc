#include "load/generator.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/percentile.h"
#include "base/strings.h"
#include "env/clock.h"

namespace hone::load {
namespace {

using base::TimeNs;

constexpr TimeNs kScanNs = 50 * base::kMillisecondNs;  // between looks at what hangs
constexpr TimeNs kProgressNs = 500 * base::kMillisecondNs;
// Requests due together that leave before answers are looked at again: else the last answer of a burst
// would be timed when the whole burst has been written.
constexpr int kBurst = 8;
// A moment this near is looked out for instead of slept for: going to sleep and coming back costs as much.
constexpr TimeNs kNearNs = 15 * base::kMicrosecondNs;

double ToMs(TimeNs span) {
  return static_cast<double>(span) * 1e-6;
}

}  // namespace

Generator::Generator(const LoadRequest& request, const Url& url, const Address& address, int steps)
    : request_(request),
      address_(address),
      tally_(request, steps),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  const std::vector<std::string>& texts = request.texts.empty() ? DefaultTexts() : request.texts;
  for (std::size_t i = 0; i < request.streams.size(); ++i) {
    requests_.emplace_back(request.streams[i], texts, url.shown, request.api_key,
                           request.max_tokens, request.seed * 1000 + i);
  }
}

base::Status Generator::Run(const std::vector<Planned>& plan, const LoadProgress& progress) {
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLET;  // an edge when it goes off; it is never read
  if (epoll_.fd() < 0 || timer_.fd() < 0 ||
      epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, timer_.fd(), &event) != 0) {
    return base::OutOfResource("cannot make an epoll and a timer: ", std::strerror(errno));
  }
  // The kernel may otherwise add 50 µs to every wait.
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  start_ = env::NowNs();
  std::size_t next = 0;
  TimeNs scan_at = start_, progress_at = start_ + kProgressNs;
  while (next < plan.size() || busy_ > 0 || !waiting_.empty()) {
    TimeNs now = env::NowNs();
    for (int burst = 0; burst < kBurst && next < plan.size() && start_ + plan[next].at <= now;
         ++burst, ++next) {
      tally_.Sent(plan[next].step, plan[next].stream);
      Start({.planned = &plan[next]});
      now = env::NowNs();
    }
    if (now >= scan_at) {
      Scan(now);
      scan_at = now + kScanNs;
    }
    if (progress && now >= progress_at) {
      progress(ToMs(now - start_) * 1e-3, tally_.Counted());
      progress_at = now + kProgressNs;
    }
    TimeNs until = scan_at;
    if (next < plan.size()) until = std::min(until, start_ + plan[next].at);
    Wait(until);
  }
  return base::OkStatus();
}

bool Generator::GaveUp(const Job& job, TimeNs now) {
  const TimeNs waited = now - Moment(job);
  const double deadline_ms = StreamOf(job).deadline_ms;
  if (deadline_ms > 0 && ToMs(waited) >= deadline_ms) {
    tally_.Late(job.planned->step, job.planned->stream);
    return true;
  }
  if (ToMs(waited) >= request_.timeout_s * 1e3) {
    tally_.Failed(job.planned->step, job.planned->stream, "no free connection in time");
    return true;
  }
  return false;
}

// On an idle connection, else on a new one, else in the queue.
void Generator::Start(Job job) {
  const TimeNs now = env::NowNs();
  if (job.tries == 0) lateness_ms_.push_back(static_cast<float>(ToMs(now - Moment(job))));
  if (GaveUp(job, now)) return;
  // A second try goes to a new connection, which cannot have been closed meanwhile.
  if (!idle_.empty() && (job.tries == 0 || Full())) {
    Connection& connection = *idle_.back();
    idle_.pop_back();
    ++busy_;
    Send(connection, job);
  } else if (Full() || !Open(job)) {
    waiting_.push_back(job);
  }
}

// False where the system has no connection to give: the job waits for one in use.
bool Generator::Open(const Job& job) {
  auto socket = BeginConnect(address_);
  if (!socket.ok()) {
    if (!connections_.empty()) return false;
    tally_.Failed(job.planned->step, job.planned->stream, socket.status().message());
    return true;
  }
  auto connection = std::make_unique<Connection>();
  connection->socket = *std::move(socket);
  connection->job = job;
  epoll_event event = {};
  // Edges: one registration for a connection's life, no call a request.
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = connection.get();
  epoll_ctl(epoll_.fd(), EPOLL_CTL_ADD, connection->socket.fd(), &event);
  connections_.push_back(std::move(connection));
  most_connections_ = std::max(most_connections_, static_cast<int>(connections_.size()));
  ++busy_;
  return true;
}

void Generator::Send(Connection& connection, const Job& job) {
  const TimeNs now = env::NowNs();
  const double deadline_ms = StreamOf(job).deadline_ms;
  double remaining_ms = 0;
  if (deadline_ms > 0) {
    // At least what the header can say; the caller has seen that it is not over.
    remaining_ms = std::max(0.001, deadline_ms - ToMs(now - Moment(job)));
  }
  connection.state = Connection::State::kBusy;
  connection.job = job;
  ++connection.job.tries;
  connection.reader.Reset();
  connection.written = 0;
  connection.written_at = now;
  requests_[static_cast<std::size_t>(job.planned->stream)].Next(job.planned->tokens, remaining_ms,
                                                                &connection.out);
  Write(connection);
}

void Generator::Write(Connection& connection) {
  while (connection.written < connection.out.size()) {
    const ssize_t count =
        send(connection.socket.fd(), connection.out.data() + connection.written,
             connection.out.size() - connection.written, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      connection.written += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      // Without room, epoll says when there is some. After an error the answer to a request that was cut
      // short may still be there to read: reading says what is.
      return;
    }
  }
}

void Generator::Read(Connection& connection) {
  for (;;) {
    const ssize_t count =
        recv(connection.socket.fd(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (connection.state == Connection::State::kIdle) {  // closed, or bytes nobody asked for
      std::erase(idle_, &connection);
      return Drop(connection);
    }
    if (count < 0) return Fail(connection, std::strerror(errno));
    if (count == 0) {
      const base::Status status = connection.reader.Close();
      if (status.ok()) return Complete(connection);
      return Fail(connection, status.message());
    }
    const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(count));
    const auto used = connection.reader.Feed(bytes);
    if (!used.ok()) return Fail(connection, used.status().message());
    if (connection.reader.done()) return Complete(connection);
    // A short read has emptied the socket, and the next bytes are a new edge; but the end of a closed
    // connection has had its edge already.
    if (bytes.size() < buffer_.size() && !connection.closing) return;
  }
}

void Generator::Complete(Connection& connection) {
  const Answer& answer = connection.reader.answer();
  const Planned& planned = *connection.job.planned;
  const TimeNs now = env::NowNs();
  const double latency_ms = ToMs(now - Moment(connection.job));
  const double deadline_ms = StreamOf(connection.job).deadline_ms;
  if (answer.status >= 200 && answer.status < 300) {
    const Sample sample{
        .latency = static_cast<float>(latency_ms),
        .overhead = static_cast<float>(ToMs(now - connection.written_at) - answer.compute_ms),
        .queue = static_cast<float>(answer.queue_ms),
        .compute = static_cast<float>(answer.compute_ms)};
    tally_.Answered(planned.step, planned.stream, deadline_ms <= 0 || latency_ms <= deadline_ms,
                    sample, answer.rung);
  } else if (answer.status == 429 || answer.status == 503) {
    tally_.Refused(planned.step, planned.stream, answer.error_body);
  } else if (answer.status == 504) {
    tally_.Late(planned.step, planned.stream);
  } else {
    tally_.Failed(planned.step, planned.stream, base::StrCat("HTTP ", answer.status),
                  answer.error_body);
  }
  const bool whole = connection.written == connection.out.size();
  Release(connection, answer.keep_alive && whole && !connection.closing);
}

// A connection that a server closes just when a request goes out on it is nobody's fault: once, the
// request is sent again on a new one.
void Generator::Fail(Connection& connection, std::string_view why) {
  const Job job = connection.job;
  const bool again = connection.reused && !connection.reader.started() && job.tries == 1;
  if (!again) tally_.Failed(job.planned->step, job.planned->stream, why);
  Release(connection, false);
  if (again) Start(job);
}

// Gives the connection to the next that waits, if it can be kept.
void Generator::Release(Connection& connection, bool keep) {
  --busy_;
  if (!keep) Drop(connection);
  const TimeNs now = env::NowNs();
  while (!waiting_.empty()) {
    const Job job = waiting_.front();
    waiting_.pop_front();
    if (GaveUp(job, now)) continue;
    if (keep) {
      connection.reused = true;
      ++busy_;
      return Send(connection, job);
    }
    if (!Open(job)) waiting_.push_front(job);
    return;
  }
  if (!keep) return;
  connection.state = Connection::State::kIdle;
  connection.reused = true;
  idle_.push_back(&connection);
}

void Generator::Drop(Connection& connection) {
  const auto found = std::ranges::find_if(
      connections_, [&](const auto& owned) { return owned.get() == &connection; });
  connection.socket = Socket();  // leaves the epoll too; events still to be handled see its fd
  dropped_.push_back(std::move(*found));
  *found = std::move(connections_.back());
  connections_.pop_back();
}

void Generator::Handle(Connection& connection, std::uint32_t events) {
  if (connection.socket.fd() < 0) return;  // dropped by an event before this one
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) connection.closing = true;
  if (connection.state == Connection::State::kConnecting) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(connection.socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      return Fail(connection, base::StrCat("cannot connect: ", std::strerror(error)));
    }
    if ((events & EPOLLOUT) == 0) return;
    const Job job = connection.job;
    if (GaveUp(job, env::NowNs())) return Release(connection, true);
    return Send(connection, job);
  }
  if ((events & EPOLLOUT) != 0 && connection.written < connection.out.size()) Write(connection);
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) Read(connection);
}

// Sleeps until then or until an answer comes. The timer is set once for a moment, however many answers
// come before it.
void Generator::Wait(TimeNs until) {
  const bool near = until - env::NowNs() < kNearNs;
  if (!near && timer_set_to_ != until) {
    itimerspec when = {};
    when.it_value = {.tv_sec = until / base::kSecondNs, .tv_nsec = until % base::kSecondNs};
    timerfd_settime(timer_.fd(), TFD_TIMER_ABSTIME, &when, nullptr);
    timer_set_to_ = until;
  }
  std::array<epoll_event, 64> events;
  const int count = epoll_wait(epoll_.fd(), events.data(), events.size(), near ? 0 : -1);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    // The timer's event carries no connection: having waited was all.
    if (event.data.ptr != nullptr) {
      Handle(*static_cast<Connection*>(event.data.ptr), event.events);
    }
  }
  dropped_.clear();
}

// Ends what hangs, and what has waited in the queue beyond its deadline.
void Generator::Scan(TimeNs now) {
  std::erase_if(waiting_, [&](const Job& job) { return GaveUp(job, now); });
  const auto timeout = static_cast<TimeNs>(request_.timeout_s * 1e9);
  std::vector<Connection*> hanging;  // failing one changes the list
  for (const auto& connection : connections_) {
    if (connection->state != Connection::State::kIdle && now - Moment(connection->job) >= timeout) {
      hanging.push_back(connection.get());
    }
  }
  for (Connection* connection : hanging) {
    connection->job.tries = 2;  // not again
    Fail(*connection, "no answer in time");
  }
}

void Generator::Finish(LoadResult* result) const {
  std::vector<double> lateness(lateness_ms_.begin(), lateness_ms_.end());
  result->lateness_p50_ms = base::Percentile(lateness, 0.5);
  result->lateness_p99_ms = base::Percentile(lateness, 0.99);
  result->connections = most_connections_;
  tally_.Finish(request_, PlannedSeconds(request_), result);
}

}  // namespace hone::load
