// The loop behind RunLoad: one thread, one epoll, sockets without a library around them. What a request
// costs here a server on the same machine does not get.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time_ns.h"
#include "load/body.h"
#include "load/load.h"
#include "load/plan.h"
#include "load/response.h"
#include "load/socket.h"
#include "load/tally.h"

namespace hone::load {

// One request on its way.
struct Job {
  const Planned* planned = nullptr;
  int tries = 0;  // times it was written to a connection
};

struct Connection {
  enum class State { kConnecting, kBusy, kIdle };
  Socket socket;
  State state = State::kConnecting;
  bool reused = false;   // has brought an answer before
  bool closing = false;  // the server will send no more than is there
  Job job;
  base::TimeNs written_at = 0;
  std::string out;
  std::size_t written = 0;
  ResponseReader reader;
};

class Generator {
 public:
  Generator(const LoadRequest& request, const Url& url, const Address& address, int steps);
  base::Status Run(const std::vector<Planned>& plan, const LoadProgress& progress);
  void Finish(LoadResult* result) const;

 private:
  const Stream& StreamOf(const Job& job) const {
    return request_.streams[static_cast<std::size_t>(job.planned->stream)];
  }
  base::TimeNs Moment(const Job& job) const { return start_ + job.planned->at; }
  bool GaveUp(const Job& job, base::TimeNs now);  // counted, where there is no sense in sending it
  void Start(Job job);
  bool Open(const Job& job);
  void Send(Connection& connection, const Job& job);
  void Write(Connection& connection);
  void Read(Connection& connection);
  void Complete(Connection& connection);
  void Fail(Connection& connection, std::string_view why);
  void Release(Connection& connection, bool keep);
  bool Full() const { return static_cast<int>(connections_.size()) >= request_.max_connections; }
  void Drop(Connection& connection);
  void Handle(Connection& connection, std::uint32_t events);
  void Wait(base::TimeNs until);
  void Scan(base::TimeNs now);

  const LoadRequest& request_;
  Address address_;
  Tally tally_;
  std::vector<StreamRequests> requests_;  // one a stream
  Socket epoll_, timer_;
  base::TimeNs start_ = 0;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> idle_;  // the one used last on top: its caches are warm
  std::vector<std::unique_ptr<Connection>> dropped_;  // kept until epoll's events are through
  std::deque<Job> waiting_;                           // for a connection
  int busy_ = 0, most_connections_ = 0;
  std::vector<float> lateness_ms_;
  std::array<char, 64 << 10> buffer_;
  base::TimeNs timer_set_to_ = 0;
};

}  // namespace hone::load
