#include "server/dispatch/dispatcher.h"

#include <algorithm>
#include <chrono>

#include "base/check.h"
#include "base/strings.h"
#include "env/clock.h"
#include "env/thread.h"
#include "server/dispatch/answer_size.h"
#include "server/dispatch/check_query.h"
#include "server/dispatch/histogram.h"

namespace hone::server {
namespace {

// Between a batch's end and its answers on the wire, promises leave at least what a quiet front needs, and at
// most what a machine that is this far behind may still claim to know.
constexpr base::TimeNs kLeastFrontNs = 300 * base::kMicrosecondNs;
constexpr base::TimeNs kMostFrontNs = 50 * base::kMillisecondNs;

using base::TimeNs;

double Ms(TimeNs span) {
  return static_cast<double>(span) / base::kMillisecondNs;
}
double Seconds(TimeNs span) {
  return static_cast<double>(span) / base::kSecondNs;
}
TimeNs FromMs(double ms) {
  return static_cast<TimeNs>(ms * base::kMillisecondNs);
}

scheduler::Setup SetupOf(const ServiceOptions& options, const planner::Layouts& layouts) {
  scheduler::Setup setup;
  setup.widths = layouts.widths;
  for (int e = 0; e < static_cast<int>(layouts.threads.size()); ++e) {
    setup.executors.push_back({.width = layouts.WidthIndex(e), .enabled = false});
  }
  for (const int e : layouts.splits.front()) {
    setup.executors[static_cast<std::size_t>(e)].enabled = true;
  }
  setup.max_queued = options.max_queued;
  return setup;
}

Reply FaultReply(Fault fault) {
  Reply reply;
  reply.fault = std::move(fault);
  return reply;
}

}  // namespace

Dispatcher::Dispatcher(const ServiceOptions& options, planner::Layouts layouts,
                       std::unique_ptr<scheduler::Policy> policy, std::function<void()> wake)
    : options_(options),
      layouts_(std::move(layouts)),
      wake_(std::move(wake)),
      scheduler_(SetupOf(options, layouts_), std::move(policy)) {
  for (const int threads : layouts_.threads) {
    executors_.push_back(std::make_unique<Executor>());
    executors_.back()->pool = std::make_shared<base::ThreadPool>(threads);
  }
}

Dispatcher::~Dispatcher() {
  Stop();
}

void Dispatcher::Start() {
  for (int e = 0; e < static_cast<int>(executors_.size()); ++e) {
    executors_[static_cast<std::size_t>(e)]->thread = std::thread([this, e] {
      executors_[static_cast<std::size_t>(e)]->pool->Run([](int) {
        env::RunPatiently();
        env::NameThread("compute");
      });
      if (layouts_.FirstCore(e) >= 0) StayOnCores(e);
      RunExecutor(e);
    });
  }
}

// A thread that computes for milliseconds keeps its processor to itself among its like: left to the system, two
// executors were put on one processor beside the front's short turns, and batches took five times as long.
void Dispatcher::StayOnCores(int index) {
  const int first = layouts_.FirstCore(index);
  executors_[static_cast<std::size_t>(index)]->pool->Run(
      [first](int worker) { env::StayOnCpu(first + worker); });
}

void Dispatcher::Stop() {
  {
    const std::lock_guard lock(mutex_);
    accepting_ = false;
    stopping_ = true;
    for (const auto& executor : executors_) executor->wake.notify_all();
  }
  for (const auto& executor : executors_) {
    if (executor->thread.joinable()) executor->thread.join();
  }
  GiveUpAll();
}

int Dispatcher::GiveUpAll() {
  std::unique_lock lock(mutex_);
  Deliveries deliveries;
  const std::vector<std::uint64_t> left = requests_.Ids();
  for (const std::uint64_t ticket : left) {
    Fail(*requests_.Find(ticket),
         {.kind = FaultKind::kUnavailable, .message = "the server is shutting down"}, &deliveries);
  }
  Deliver(&deliveries, lock);
  return static_cast<int>(left.size());
}

void Dispatcher::Deliver(Deliveries* deliveries, std::unique_lock<std::mutex>& lock) {
  if (deliveries->empty()) return;
  lock.unlock();
  for (Delivery& delivery : *deliveries) delivery.done(std::move(delivery.reply));
  deliveries->clear();
  lock.lock();
}

Ticket Dispatcher::Submit(Query query, Done done) {
  const TimeNs now = env::NowNs();
  if (query.arrival <= 0 || query.arrival > now) query.arrival = now;
  std::optional<Fault> wrong = CheckQuery(query, options_);
  const std::uint64_t answer_bytes = wrong ? 0 : AnswerBytes(query);
  if (!wrong) wrong = CheckAnswer(answer_bytes, options_);
  if (wrong) {
    done(FaultReply(*std::move(wrong)));
    return {};
  }
  auto request = std::make_shared<Request>();
  request->results.resize(query.texts.size());
  request->answer_bytes = answer_bytes;
  request->query = std::move(query);
  request->done = std::move(done);
  Deliveries deliveries;
  std::unique_lock lock(mutex_);
  // Lost promises would stand in the way of new ones.
  Expire(now, &deliveries);
  std::optional<Fault> fault = Accept(request, now);
  if (fault) {
    ++counters_.refused;
    if (ServedModel* model = Find(*request->query.endpoint)) ++model->totals->counters.refused;
    deliveries.push_back({std::move(request->done), FaultReply(*std::move(fault))});
  }
  const Ticket ticket{request->ticket};
  Deliver(&deliveries, lock);
  return ticket;
}

// An endpoint that was found before its model was unloaded names nothing any more: null.
ServedModel* Dispatcher::Find(const Endpoint& endpoint) {
  const auto number = static_cast<std::size_t>(endpoint.number);
  if (number >= models_.size() || !models_[number]) return nullptr;
  return models_[number]->endpoint.get() == &endpoint ? models_[number].get() : nullptr;
}

std::optional<Fault> Dispatcher::Accept(const std::shared_ptr<Request>& request, TimeNs now) {
  const Query& query = request->query;
  ServedModel* found = Find(*query.endpoint);
  if (!accepting_ || found == nullptr || found->closed) {
    return Fault{.kind = FaultKind::kUnavailable,
                 .message = accepting_ ? base::StrCat("the model \"", query.endpoint->name,
                                                      "\" is being unloaded")
                                       : "the server is shutting down",
                 .retry_after_s = 1};
  }
  ServedModel& model = *found;
  TimeNs span = query.terms.deadline_ns;
  if (span == 0) {
    const double own = model.options.default_deadline_ms;
    span = FromMs(own > 0 ? own : options_.default_deadline_ms);
  }
  span = std::min(span, FromMs(options_.max_deadline_ms));
  request->deadline = query.arrival + span;
  int tokens = 0;
  for (const text::Encoding& text : query.texts) tokens += static_cast<int>(text.ids.size());
  model.demand.Asked(static_cast<int>(query.texts.size()), tokens, span, now);
  if (request->deadline <= now) {
    return Fault{.kind = FaultKind::kRefused,
                 .message = base::StrCat("the deadline of ", Ms(span),
                                         " ms was over before the request was read")};
  }
  if (holding_) {
    return Fault{.kind = FaultKind::kRefused,
                 .message = "the cores are being split among executors anew",
                 .retry_after_s = 0.05};
  }
  if (answers_bytes_ + request->answer_bytes > options_.max_answers_bytes) {
    return Fault{
        .kind = FaultKind::kRefused,
        .message = "the answers that are being computed need all the memory there is for them",
        .retry_after_s = 0.1};
  }
  std::optional<Fault> fault =
      model.any_resident() ? Enqueue(request, now) : WaitForRung(request, now);
  if (!fault) answers_bytes_ += request->answer_bytes;
  return fault;
}

// Greedy, in the texts' order: a part takes texts as long as the first resident rung, as a rule the
// slowest, would answer it within the limits of a batch.
void Dispatcher::Cut(const std::shared_ptr<Request>& request, std::vector<scheduler::Item>* items) {
  const Query& query = request->query;
  const scheduler::Setup& setup = scheduler_.setup();
  const scheduler::Model& model = setup.models[static_cast<std::size_t>(query.endpoint->number)];
  const auto rung = std::ranges::find_if(model.rungs, [](const auto& r) { return r.resident; });
  HONE_CHECK(rung != model.rungs.end());
  const int executor = layouts_.splits[static_cast<std::size_t>(split_)].front();
  const planner::LatencyTable& table =
      rung->tables[static_cast<std::size_t>(layouts_.WidthIndex(executor))];
  const int count = static_cast<int>(query.texts.size());
  scheduler::Item item{.model = query.endpoint->number,
                       .tenant = TenantNumber(query.terms.tenant),
                       .priority = query.terms.priority,
                       .arrival = query.arrival,
                       .deadline = request->deadline};
  for (int begin = 0; begin < count;) {
    int end = begin, tokens = 0;
    for (; end < count; ++end) {
      const int texts = end - begin + 1;
      const int with =
          tokens + WorkTokens(*query.endpoint, query.texts[static_cast<std::size_t>(end)]);
      if (end > begin && (texts > model.max_texts || with > model.max_tokens ||
                          table.Predict(texts, with) > setup.max_batch_ns)) {
        break;
      }
      tokens = with;
    }
    item.texts = end - begin;
    item.tokens = tokens;
    item.id = parts_.Add({.request = request, .begin = begin, .end = end});
    items->push_back(item);
    request->items.push_back(item.id);
    begin = end;
  }
}

std::optional<Fault> Dispatcher::Enqueue(const std::shared_ptr<Request>& request, TimeNs now) {
  std::vector<scheduler::Item> items;
  Cut(request, &items);
  // A front that is late with its answers was late with reading the request too, and that was before the arrival
  // that it knows of: half as much, since it reads before it writes.
  const TimeNs front_ns = front_delay_.At(now) * 3 / 2;
  scheduler_.SetOverhead(std::clamp(front_ns, kLeastFrontNs, kMostFrontNs));
  const scheduler::Admission admission = scheduler_.SubmitAll(items, now);
  if (!admission.accepted()) {
    for (const scheduler::Item& item : items) parts_.Erase(item.id);
    request->items.clear();
    return Refused(admission, *request);
  }
  request->parts_left = static_cast<int>(items.size());
  if (request->ticket == 0) request->ticket = requests_.Add(request);
  ++counters_.accepted;
  ++Model(request->query.endpoint->number).totals->counters.accepted;
  WakeIdle(request->parts_left, -1);
  return std::nullopt;
}

Fault Dispatcher::Refused(const scheduler::Admission& admission, const Request& request) const {
  Fault fault{
      .kind = FaultKind::kRefused, .message = {}, .retry_after_s = Seconds(admission.retry_after)};
  switch (admission.refusal) {
    case scheduler::Refusal::kDeadline:
      fault.message =
          base::StrCat("cannot be answered within ", Ms(request.deadline - request.query.arrival),
                       " ms, not even by the fastest rung");
      break;
    case scheduler::Refusal::kShare:
      fault.message = "the share of the machine that this client or model may use is used up";
      break;
    case scheduler::Refusal::kQueueFull: fault.message = "the queue is full"; break;
    case scheduler::Refusal::kNotResident:
    case scheduler::Refusal::kNone:
      fault.kind = FaultKind::kUnavailable;
      fault.message =
          base::StrCat("the model \"", request.query.endpoint->name, "\" is not in memory");
      break;
  }
  return fault;
}

int Dispatcher::TenantNumber(const std::string& tenant) {
  // Names come from the configuration's keys; a limit all the same, since they are kept for good.
  constexpr std::size_t kMostTenants = 4096;
  const auto found = tenants_.find(tenant);
  if (found != tenants_.end()) return found->second;
  if (tenants_.size() >= kMostTenants) return 0;
  const int number = static_cast<int>(tenants_.size()) + 1;
  tenants_.emplace(tenant, number);
  return number;
}

void Dispatcher::Cancel(Ticket ticket) {
  std::unique_lock lock(mutex_);
  std::shared_ptr<Request>* found = requests_.Find(ticket.id);
  if (found == nullptr) return;
  Deliveries deliveries;
  // Who leaves because the time is up leaves a broken promise, which counts as one; there is none where it
  // waits for a rung.
  const bool late = !(*found)->items.empty() && env::NowNs() > (*found)->deadline;
  Fail(*found,
       {.kind = late ? FaultKind::kMissed : FaultKind::kCancelled,
        .message = late ? "was accepted, and its deadline passed" : "cancelled by the client"},
       &deliveries);
  Deliver(&deliveries, lock);
}

// From here on the request is answered. Parts that run still hold it, and end for nothing.
void Dispatcher::Forget(Request& request) {
  request.answered = true;
  if (request.parts_left > 0) {  // not all have run
    for (const std::uint64_t item : scheduler_.CancelAll(request.items)) parts_.Erase(item);
  }
  const auto number = static_cast<std::size_t>(request.query.endpoint->number);
  if (request.items.empty() && models_[number]) {  // it waited for a rung
    if (std::erase(models_[number]->waiting, request.ticket) > 0) --waiting_;
  }
  if (models_[number] && models_[number]->closed) wake_();
  answers_bytes_ -= request.answer_bytes;
  requests_.Erase(request.ticket);
  quiet_.notify_all();
}

void Dispatcher::Fail(const std::shared_ptr<Request>& held, Fault fault, Deliveries* deliveries) {
  // `held` may lie in what Forget erases.
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
  const std::shared_ptr<Request> request = held;
  Counters& model = Model(request->query.endpoint->number).totals->counters;
  const auto count = [&](std::int64_t Counters::*which) { ++(counters_.*which), ++(model.*which); };
  switch (fault.kind) {
    case FaultKind::kMissed: count(&Counters::missed); break;
    case FaultKind::kCancelled: count(&Counters::cancelled); break;
    case FaultKind::kRefused:
    case FaultKind::kUnavailable: count(&Counters::refused); break;
    default: count(&Counters::failed); break;
  }
  Forget(*request);
  deliveries->push_back({std::move(request->done), FaultReply(std::move(fault))});
}

void Dispatcher::Succeed(const std::shared_ptr<Request>& request, TimeNs now,
                         Deliveries* deliveries) {
  ServedModel& model = Model(request->query.endpoint->number);
  ++counters_.answered;
  ++model.totals->counters.answered;
  Reply reply;
  reply.results = std::move(request->results);
  reply.at_once = scheduler_.queued() == 0;
  reply.served.rung = model.rungs[static_cast<std::size_t>(request->rung)].info.name;
  reply.served.ended = now;
  reply.served.queue_ms = Ms(request->queue_ns);
  reply.served.compute_ms = Ms(request->compute_ns);
  for (const text::Encoding& text : request->query.texts) {
    reply.served.tokens += static_cast<int>(text.ids.size());
  }
  Count(reply.served.queue_ms, &model.totals->queue);
  Count(reply.served.compute_ms, &model.totals->compute);
  Count(Ms(now - request->query.arrival), &model.totals->total);
  Forget(*request);
  deliveries->push_back({std::move(request->done), std::move(reply)});
}

bool Dispatcher::Drain(double seconds) {
  std::unique_lock lock(mutex_);
  accepting_ = false;
  return quiet_.wait_for(lock, std::chrono::duration<double>(seconds),
                         [this] { return requests_.size() == 0; });
}

}  // namespace hone::server
