// The service: models, scheduler and executors behind one door. HTTP and gRPC are fronts of it.
//
// Usage
//   HONE_ASSIGN_OR_RETURN(auto service, Service::Start(files, options));
//   std::shared_ptr<const Endpoint> endpoint = service->Find("intent");
//   const Ticket ticket = service->Submit(query, [](Reply reply) { … });  // done is called once
//   service->Cancel(ticket);                                              // where the client is gone
//
// Threads   one an executor (with its pool's workers), one that loads models at the lowest priority.
//           Submit never blocks on either.
// Promises  an accepted query is answered by its deadline, or its reply is kMissed and counted.
//           A model that fails to load leaves the others serving.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/isa.h"
#include "base/status.h"
#include "env/file.h"
#include "server/endpoint.h"
#include "server/query.h"

namespace hone::server {

struct ModelOptions {
  std::string name, directory;
  bool pinned = false;                         // all of its rungs stay in memory
  double reserved_cores = 0, limit_cores = 0;  // 0: no limit
  std::uint64_t reserved_bytes = 0,
                limit_bytes = 0;  // of memory, within the service's; 0: no limit
  int max_texts = 64;             // of a batch
  int max_batch_tokens = 8192;
  double default_deadline_ms = 0;  // 0: the service's
};

struct ServiceOptions {
  std::vector<ModelOptions> models;
  int threads = 0;  // cores for computing; 0: all this process may use
  base::Isa isa = base::DetectIsa();
  std::string policy = "ladder";
  std::uint64_t memory_bytes = 0;  // for packed weights; 0: no limit
  double default_deadline_ms = 30'000;
  double max_deadline_ms = 600'000;  // a client may ask for no more
  int max_texts = 1024;              // of a query
  int max_queued = 4096;             // items
  // Of the numbers in answers, before they are written out: of one query, and of all that are accepted and
  // not yet answered.
  std::uint64_t max_answer_bytes = 64 << 20, max_answers_bytes = 512 << 20;
  // Directory of measured latency tables, one file a device and model; empty: they are not kept.
  std::string table_cache;
  std::vector<int> split = {};  // widths of the executors; empty: the planner chooses
  // Told of what does not keep it from serving, by any thread; empty: nobody is.
  std::function<void(const std::string&)> warn = {};
};

struct Ticket {
  std::uint64_t id = 0;
};

// What has happened since the start.
struct Counters {
  std::int64_t accepted = 0, answered = 0, refused = 0, missed = 0, cancelled = 0, failed = 0;
  std::int64_t texts = 0, tokens = 0, batches = 0;
  double busy_s = 0;  // of all executors together
};

// A histogram with fixed upper bounds (Prometheus' way), milliseconds.
struct Histogram {
  std::vector<double> bounds_ms;
  std::vector<std::int64_t> counts;  // one more than bounds: the last is beyond all
  double sum_ms = 0;
};

struct ModelStatus {
  std::shared_ptr<const Endpoint> endpoint;
  bool ready = false;  // some rung can answer
  std::string error;   // why not, where loading failed
  std::vector<RungInfo> rungs;
  std::uint64_t resident_bytes = 0;
  Counters counters;
  Histogram queue, compute, total;
};

struct ServiceStatus {
  std::vector<ModelStatus> models;
  Counters counters;
  std::string policy;
  std::vector<int> executors;  // widths in force
  int queued = 0;
  std::uint64_t resident_bytes = 0, memory_bytes = 0;
  double reserve_ms = 0;
};

class Service {
 public:
  virtual ~Service() = default;  // finishes what runs, answers the rest with kUnavailable

  // Returns when every model can answer or has failed; an error only where none can, or the options
  // are wrong.
  static base::StatusOr<std::unique_ptr<Service>> Start(env::FileSystem& files,
                                                        const ServiceOptions& options);

  virtual std::shared_ptr<const Endpoint> Find(const std::string& name) const = 0;  // null: none
  // The only model there is, for protocols that may leave the name out; null where there are more.
  virtual std::shared_ptr<const Endpoint> Only() const = 0;
  virtual std::vector<std::shared_ptr<const Endpoint>> Endpoints() const = 0;
  // Why a model of the configuration cannot be asked ("unloaded", the error of its load); nothing of one that
  // can be, or that is none of them. An empty name: the only model there is.
  virtual std::optional<std::string> WhyAbsent(const std::string& name) const = 0;

  virtual Ticket Submit(Query query, Done done) = 0;
  virtual void Cancel(Ticket ticket) = 0;
  // A front has put an answer on the wire so long after its batch ended. Promises leave that much.
  virtual void Sent(base::TimeNs after) = 0;

  // KServe's repository: load again (or for the first time) a model of the configuration, unload it.
  // Returns when the model can be asked, or can no more; what it had accepted is answered all the same, and its
  // memory is in use until then. Does not delay others' promises.
  virtual base::Status Load(const std::string& name) = 0;
  virtual base::Status Unload(const std::string& name) = 0;

  virtual ServiceStatus Status() const = 0;
  virtual const ServiceOptions& options() const = 0;
  // Refuses new queries from now on; accepted ones are answered. False where some are left after
  // `seconds`.
  virtual bool Drain(double seconds) = 0;
  // Those left are answered with kUnavailable at once; how many they were.
  virtual int GiveUp() = 0;
};

}  // namespace hone::server
