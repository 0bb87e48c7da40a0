#include "load/tally.h"

#include <algorithm>

#include "base/percentile.h"
#include "load/response.h"

namespace hone::load {
namespace {

constexpr std::size_t kMaxNames = 32;  // rungs and faults that are told apart

// One more of `name`; names beyond kMaxNames are "other": a server cannot fill this program's memory.
void AddName(std::map<std::string, std::int64_t, std::less<>>* counts, std::string_view name,
             std::int64_t count) {
  auto found = counts->find(name);
  if (found == counts->end()) {
    const std::string_view kept = counts->size() < kMaxNames ? name : "other";
    found = counts->try_emplace(std::string(kept), 0).first;
  }
  found->second += count;
}

void AddCounts(const StreamResult& from, StreamResult* to) {
  to->sent += from.sent;
  to->ok += from.ok;
  to->late += from.late;
  to->refused += from.refused;
  to->errors += from.errors;
  for (const auto& [name, count] : from.rungs) AddName(&to->rungs, name, count);
  for (const auto& [name, count] : from.faults) AddName(&to->faults, name, count);
  if (to->first_error.empty()) to->first_error = from.first_error;
  if (to->first_refusal.empty()) to->first_refusal = from.first_refusal;
}

}  // namespace

Tally::Tally(const LoadRequest& request, int steps)
    : streams_(request.streams.size()), steps_(static_cast<std::size_t>(steps)) {
  cells_.resize(streams_ * steps_);
}

void Tally::Sent(int step, int stream) {
  ++At(step, stream).counts.sent;
}

void Tally::Answered(int step, int stream, bool in_time, const Sample& sample,
                     std::string_view rung) {
  Cell& cell = At(step, stream);
  ++(in_time ? cell.counts.ok : cell.counts.late);
  cell.samples.push_back(sample);
  if (!rung.empty()) AddName(&cell.counts.rungs, rung, 1);
}

void Tally::Late(int step, int stream) {
  ++At(step, stream).counts.late;
}

void Tally::Refused(int step, int stream, std::string_view body) {
  Cell& cell = At(step, stream);
  ++cell.counts.refused;
  if (cell.counts.first_refusal.empty()) cell.counts.first_refusal = ErrorMessage(body);
}

void Tally::Failed(int step, int stream, std::string_view why, std::string_view body) {
  Cell& cell = At(step, stream);
  ++cell.counts.errors;
  if (cell.counts.first_error.empty()) cell.counts.first_error = ErrorMessage(body);
  AddName(&cell.counts.faults, why, 1);
}

StreamResult Tally::Counted() const {
  StreamResult total;
  for (const Cell& cell : cells_) AddCounts(cell.counts, &total);
  return total;
}

StreamResult Tally::Merge(const std::vector<const Cell*>& cells, double seconds) const {
  StreamResult merged;
  std::vector<double> latency, overhead, front, queue, compute;
  for (const Cell* cell : cells) {
    AddCounts(cell->counts, &merged);
    for (const Sample& sample : cell->samples) {
      latency.push_back(double{sample.latency});
      overhead.push_back(double{sample.overhead});
      front.push_back(double{sample.overhead} - double{sample.queue});
      queue.push_back(double{sample.queue});
      compute.push_back(double{sample.compute});
    }
  }
  merged.goodput_per_s = seconds > 0 ? static_cast<double>(merged.ok) / seconds : 0;
  merged.p50_ms = base::Percentile(latency, 0.5);
  merged.p95_ms = base::Percentile(latency, 0.95);
  merged.p99_ms = base::Percentile(latency, 0.99);
  merged.max_ms = base::Percentile(latency, 1);
  merged.p50_queue_ms = base::Percentile(queue, 0.5);
  merged.p99_queue_ms = base::Percentile(queue, 0.99);
  merged.p50_compute_ms = base::Percentile(compute, 0.5);
  merged.p99_compute_ms = base::Percentile(compute, 0.99);
  merged.p50_overhead_ms = base::Percentile(overhead, 0.5);
  merged.p99_overhead_ms = base::Percentile(overhead, 0.99);
  merged.p50_front_ms = base::Percentile(front, 0.5);
  merged.p99_front_ms = base::Percentile(front, 0.99);
  return merged;
}

void Tally::Finish(const LoadRequest& request, double seconds, LoadResult* result) const {
  result->seconds = seconds;
  std::vector<const Cell*> all;
  std::vector<std::vector<const Cell*>> by_stream(streams_);
  double begin_s = 0;
  for (std::size_t k = 0; k < steps_; ++k) {
    StepResult step;
    step.begin_s = begin_s;
    if (!request.ramp.empty()) {
      step.seconds = request.ramp[k].seconds;
      step.rate_per_s = request.ramp[k].rate_per_s;
    }
    std::vector<const Cell*> of_step;
    for (std::size_t s = 0; s < streams_; ++s) {
      const Cell* cell = &cells_[k * streams_ + s];
      all.push_back(cell);
      of_step.push_back(cell);
      by_stream[s].push_back(cell);
      if (!request.ramp.empty()) {
        step.streams.push_back(Merge({cell}, step.seconds));
        step.streams.back().model = request.streams[s].model;
      }
    }
    if (request.ramp.empty()) continue;
    step.total = Merge(of_step, step.seconds);
    step.total.model = "total";
    begin_s += step.seconds;
    result->steps.push_back(std::move(step));
  }
  for (std::size_t s = 0; s < streams_; ++s) {
    result->streams.push_back(Merge(by_stream[s], seconds));
    result->streams.back().model = request.streams[s].model;
  }
  result->total = Merge(all, seconds);
  result->total.model = "total";
}

}  // namespace hone::load
