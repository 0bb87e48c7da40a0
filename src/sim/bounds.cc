// What no schedule exceeds: exactly for a few requests, from above for many.
#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <queue>

#include "base/check.h"
#include "sim/simulation.h"

namespace hone::sim {
namespace {

using base::TimeNs;
using scheduler::Setup;

// Twelve requests have 3^12 = 531,441 pairs of a set and a batch of it: milliseconds.
constexpr int kExactLimit = 12;

// The shortest time of a batch over the resident rungs of its model, on that width.
TimeNs ShortestBatch(const scheduler::Model& model, int width, int texts, int tokens) {
  TimeNs shortest = base::kNeverNs;
  for (const scheduler::Rung& rung : model.rungs) {
    if (!rung.resident) continue;
    shortest =
        std::min(shortest, rung.tables[static_cast<std::size_t>(width)].Predict(texts, tokens));
  }
  return shortest;
}

// A set of requests run as one batch; `time` is kNeverNs where they cannot be one.
struct Batch {
  TimeNs release = 0, due = base::kNeverNs, time = 0;
};

Batch BatchOf(const Setup& setup, const std::vector<SimRequest>& requests, unsigned set) {
  Batch batch;
  int texts = 0, tokens = 0, items = 0, model = -1;
  for (unsigned left = set; left != 0; left &= left - 1) {
    const SimRequest& request = requests[static_cast<std::size_t>(std::countr_zero(left))];
    if (model >= 0 && request.model != model) return {.time = base::kNeverNs};
    model = request.model;
    texts += request.texts;
    tokens += request.tokens;
    ++items;
    batch.release = std::max(batch.release, request.at);
    batch.due = std::min(batch.due, request.deadline - setup.overhead_ns);
  }
  const scheduler::Model& runs = setup.models[static_cast<std::size_t>(model)];
  batch.time = ShortestBatch(runs, setup.executors[0].width, texts, tokens);
  const bool fits = items == 1 || (texts <= runs.max_texts && tokens <= runs.max_tokens &&
                                   batch.time <= setup.max_batch_ns);
  if (!fits) batch.time = base::kNeverNs;
  return batch;
}

// No batch takes less than  per_text · texts + per_token · tokens  of a core's time, on an executor of any width.
struct LeastCost {
  double per_text_ns = 0, per_token_ns = 0;
};

// The tightest such pair for that mean length. For any per_token up to the slope beyond the grid,
//   per_text = min over the grid's points of  time/B − per_token · length
// holds everywhere, as the time is linear between the points in each axis.
LeastCost LeastCostOf(const Setup& setup, const scheduler::Model& model, double mean_length) {
  struct Point {
    double length, per_text_ns;
  };
  std::vector<Point> points;
  double steepest = 1e18;
  for (std::size_t width = 0; width < setup.widths.size(); ++width) {
    for (const scheduler::Rung& rung : model.rungs) {
      if (!rung.resident) continue;
      const auto& table = rung.tables[width];
      for (const int length : table.grid().lengths) {
        for (const int texts : table.grid().texts) {
          const double each = static_cast<double>(table.Predict(texts, texts * length)) *
                              setup.widths[width] / texts;
          points.push_back({static_cast<double>(length), each});
          if (length == table.grid().lengths.back()) steepest = std::min(steepest, each / length);
        }
      }
    }
  }
  LeastCost best;
  constexpr int kTries = 32;
  for (int i = 0; i <= kTries; ++i) {
    LeastCost cost{.per_text_ns = 1e18, .per_token_ns = steepest * i / kTries};
    for (const Point& point : points) {
      cost.per_text_ns =
          std::min(cost.per_text_ns, point.per_text_ns - cost.per_token_ns * point.length);
    }
    const auto at_mean = [&](const LeastCost& c) {
      return c.per_text_ns + c.per_token_ns * mean_length;
    };
    if (cost.per_text_ns >= 0 && at_mean(cost) > at_mean(best)) best = cost;
  }
  return best;
}

// Work that a machine of that speed can do of the jobs within their times, preemption allowed: the
// earliest deadline first does the most.
struct Job {
  TimeNs release, due;
  double work_ns;  // of one executor
};

double MostWork(const std::vector<Job>& jobs, double speed) {
  using Left = std::pair<TimeNs, double>;  // due, work
  std::priority_queue<Left, std::vector<Left>, std::greater<>> waiting;
  double done = 0, now = 0;
  for (std::size_t next = 0; next < jobs.size() || !waiting.empty();) {
    if (waiting.empty()) now = std::max(now, static_cast<double>(jobs[next].release));
    for (; next < jobs.size() && static_cast<double>(jobs[next].release) <= now; ++next) {
      waiting.push({jobs[next].due, jobs[next].work_ns});
    }
    Left job = waiting.top();
    waiting.pop();
    double until = std::min(static_cast<double>(job.first), now + job.second / speed);
    if (next < jobs.size()) until = std::min(until, static_cast<double>(jobs[next].release));
    if (until <= now) {
      // Its time is over, or what is left of it is nothing.
      continue;
    }
    const double part = std::min(job.second, (until - now) * speed);
    done += part;
    now = until;
    job.second -= part;
    if (job.second > 1e-3) waiting.push(job);
  }
  return done;
}

}  // namespace

int ExactLimit() {
  return kExactLimit;
}

int ExactOptimum(const Setup& setup, const std::vector<SimRequest>& requests) {
  const auto count = static_cast<int>(requests.size());
  HONE_CHECK(count <= kExactLimit && setup.executors.size() == 1);
  const unsigned all = (1u << count) - 1;
  std::vector<Batch> batches(all + 1);
  for (unsigned set = 1; set <= all; ++set) batches[set] = BatchOf(setup, requests, set);
  // free_at[S]: the earliest moment at which exactly S has been answered, all of it in time. Nothing
  // else about the past matters to the rest.
  std::vector<TimeNs> free_at(all + 1, base::kNeverNs);
  free_at[0] = 0;
  int best = 0;
  for (unsigned set = 0; set <= all; ++set) {
    if (free_at[set] == base::kNeverNs) continue;
    best = std::max(best, std::popcount(set));
    const unsigned rest = all & ~set;
    for (unsigned batch = rest; batch != 0; batch = (batch - 1) & rest) {
      const Batch& next = batches[batch];
      if (next.time == base::kNeverNs) continue;
      const TimeNs end = std::max(free_at[set], next.release) + next.time;
      if (end <= next.due) free_at[set | batch] = std::min(free_at[set | batch], end);
    }
  }
  return best;
}

// The work vectors that fit form a polymatroid whose rank is MostWork, so the most requests, counted in
// parts, are had by taking the cheapest first: each class of equal cost adds what it raises the rank by. The
// front's work comes before all of them, whatever else is done.
std::int64_t UpperBound(const Setup& setup, const std::vector<SimRequest>& requests,
                        double front_ms) {
  struct Sum {
    double texts = 0, tokens = 0;
  };
  std::vector<Sum> sums(setup.models.size());
  for (const SimRequest& request : requests) {
    sums[static_cast<std::size_t>(request.model)].texts += request.texts;
    sums[static_cast<std::size_t>(request.model)].tokens += request.tokens;
  }
  std::vector<LeastCost> costs;
  for (std::size_t m = 0; m < sums.size(); ++m) {
    const double length = sums[m].texts > 0 ? sums[m].tokens / sums[m].texts : 1;
    costs.push_back(LeastCostOf(setup, setup.models[m], length));
  }
  double cores = 0;
  for (const scheduler::Executor& executor : setup.executors) {
    if (executor.enabled) cores += setup.widths[static_cast<std::size_t>(executor.width)];
  }
  const double front_ns = front_ms * base::kMillisecondNs;
  // Costs are rounded down to steps of 3 %, so that there are few classes.
  std::map<int, std::vector<std::size_t>> classes;
  constexpr double kStep = 1.03;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const SimRequest& request = requests[i];
    const LeastCost& cost = costs[static_cast<std::size_t>(request.model)];
    const double work = cost.per_text_ns * request.texts + cost.per_token_ns * request.tokens;
    const auto step = static_cast<int>(std::floor(std::log(std::max(work, 1.0)) / std::log(kStep)));
    // One that not even an executor of its own could serve is nobody's.
    TimeNs alone = base::kNeverNs;
    for (int width = 0; width < static_cast<int>(setup.widths.size()); ++width) {
      alone = std::min(alone, ShortestBatch(setup.models[static_cast<std::size_t>(request.model)],
                                            width, request.texts, request.tokens));
    }
    const bool possible =
        alone != base::kNeverNs && request.at + alone <= request.deadline - setup.overhead_ns;
    if (possible) classes[step].push_back(i);
  }
  std::vector<double> work(requests.size(), 0.0);
  const auto most = [&] {
    std::vector<Job> jobs;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      if (work[i] + front_ns == 0) continue;
      jobs.push_back(
          {requests[i].at, requests[i].deadline - setup.overhead_ns, work[i] + front_ns});
    }
    return MostWork(jobs, cores);
  };
  double bound = 0, rank = most();
  for (const auto& [step, members] : classes) {
    const double cost = std::pow(kStep, step);
    for (const std::size_t i : members) work[i] = cost;
    const double higher = most();
    bound += (higher - rank) / cost;
    rank = higher;
  }
  return static_cast<std::int64_t>(std::floor(bound + 1e-6));
}

}  // namespace hone::sim
