#include "load/plan.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/quantities.h"
#include "base/strings.h"
#include "load/body.h"

namespace hone::load {
namespace {

constexpr double kMaxSeconds = 7 * 86'400;
constexpr double kMaxRequests = 5e7;  // 1.6 GB of plan and 0.8 GB of samples
constexpr std::size_t kMaxStreams = 64, kMaxSteps = 10'000;

// !(a <= b) where not-a-number must be refused too.
base::Status CheckRange(double value, double low, double high, std::string_view what) {
  if (value >= low && value <= high) return base::OkStatus();
  return base::BadInput(what, " ", value, " is not within ", low, " to ", high);
}

base::Status CheckStream(const Stream& stream) {
  if (stream.model.empty()) return base::BadInput("a stream names no model");
  // The name becomes a part of a path and of a header.
  for (const char c : stream.model) {
    if (c <= ' ' || c == 0x7F || c == '/' || c == '?' || c == '#') {
      return base::BadInput("model \"", stream.model, "\": no blanks, slashes, ? or # in a name");
    }
  }
  HONE_RETURN_IF_ERROR(CheckRoute(stream.route));
  HONE_RETURN_IF_ERROR(CheckRange(stream.rate_per_s, 0, kMaxRate, "rate"));
  HONE_RETURN_IF_ERROR(CheckRange(stream.deadline_ms, 0, 1e9, "deadline"));
  const bool trace = stream.arrivals.process == Process::kTrace;
  if (trace && stream.trace.empty()) return base::BadInput("a trace without arrivals");
  if (!trace && stream.rate_per_s == 0) return base::BadInput("rate 0 without a trace");
  for (const std::string_view known : {"", "low", "normal", "high"}) {
    if (stream.priority == known) return base::OkStatus();
  }
  return base::BadInput("priority \"", stream.priority, "\": expected low, normal or high");
}

}  // namespace

base::Status CheckRequest(const LoadRequest& request) {
  if (request.streams.empty() || request.streams.size() > kMaxStreams) {
    return base::BadInput("expected 1 to ", kMaxStreams, " streams, not ", request.streams.size());
  }
  double rate = 0;
  for (const Stream& stream : request.streams) {
    HONE_RETURN_IF_ERROR(CheckStream(stream));
    rate += stream.rate_per_s;
  }
  HONE_RETURN_IF_ERROR(CheckRange(request.max_connections, 1, 60'000, "connections"));
  HONE_RETURN_IF_ERROR(CheckRange(request.timeout_s, 0.001, 3600, "timeout"));
  HONE_RETURN_IF_ERROR(CheckRange(request.max_tokens, 0, 1 << 20, "tokens"));
  for (const char c : request.api_key) {
    if (c <= ' ' || c > '~')
      return base::BadInput("the API key has a character no header may have");
  }
  if (request.ramp.size() > kMaxSteps) return base::BadInput("more than ", kMaxSteps, " steps");
  double requests = rate * request.seconds;
  if (!request.ramp.empty()) {
    requests = 0;
    for (const Step& step : request.ramp) {
      HONE_RETURN_IF_ERROR(CheckRange(step.rate_per_s, 0, kMaxRate, "a step's rate"));
      HONE_RETURN_IF_ERROR(CheckRange(step.seconds, 0.001, kMaxSeconds, "a step's seconds"));
      requests += step.rate_per_s * step.seconds;
    }
    for (const Stream& stream : request.streams) {
      if (stream.rate_per_s == 0) return base::BadInput("a ramp shares by rate, and one rate is 0");
    }
  }
  HONE_RETURN_IF_ERROR(CheckRange(PlannedSeconds(request), 0.001, kMaxSeconds, "seconds"));
  return CheckRange(requests, 0, kMaxRequests, "the number of requests");
}

namespace {

// Arrivals at one a second on a clock that runs with the rate, each put back to the moment when that clock
// showed its time.
void PlanRamp(const LoadRequest& request, int number, double share, std::uint64_t seed,
              std::vector<Planned>* plan) {
  const Stream& stream = request.streams[static_cast<std::size_t>(number)];
  double all = 0;
  for (const Step& step : request.ramp) all += share * step.rate_per_s * step.seconds;
  const auto end = static_cast<base::TimeNs>(all * static_cast<double>(base::kSecondNs));
  std::size_t k = 0;
  double shown_before = 0, begin_s = 0;  // of step k: what the clock showed, and when it began
  for (const Arrival& arrival : MakeArrivals(stream.arrivals, 1, end, seed, stream.trace)) {
    const double shown = static_cast<double>(arrival.at) * 1e-9;
    double width = share * request.ramp[k].rate_per_s * request.ramp[k].seconds;
    while (shown >= shown_before + width && k + 1 < request.ramp.size()) {
      shown_before += width;
      begin_s += request.ramp[k].seconds;
      ++k;
      width = share * request.ramp[k].rate_per_s * request.ramp[k].seconds;
    }
    if (width <= 0) continue;  // rounding at the end of the last step that has any
    const double at_s = begin_s + (shown - shown_before) / width * request.ramp[k].seconds;
    plan->push_back({.at = static_cast<base::TimeNs>(at_s * 1e9),
                     .tokens = arrival.tokens,
                     .stream = number,
                     .step = static_cast<std::int32_t>(k)});
  }
}

}  // namespace

double PlannedSeconds(const LoadRequest& request) {
  if (request.ramp.empty()) return request.seconds;
  double seconds = 0;
  for (const Step& step : request.ramp) seconds += step.seconds;
  return seconds;
}

base::StatusOr<std::vector<Planned>> MakePlan(const LoadRequest& request) {
  HONE_RETURN_IF_ERROR(CheckRequest(request));
  double rate = 0;
  for (const Stream& stream : request.streams) rate += stream.rate_per_s;
  std::vector<Planned> plan;
  for (std::size_t i = 0; i < request.streams.size(); ++i) {
    const Stream& stream = request.streams[i];
    const int number = static_cast<int>(i);
    const std::uint64_t seed = request.seed * 1000 + i;
    if (!request.ramp.empty()) {
      PlanRamp(request, number, stream.rate_per_s / rate, seed, &plan);
      continue;
    }
    const auto duration = static_cast<base::TimeNs>(request.seconds * 1e9);
    for (const Arrival& arrival :
         MakeArrivals(stream.arrivals, stream.rate_per_s, duration, seed, stream.trace)) {
      plan.push_back({.at = arrival.at, .tokens = arrival.tokens, .stream = number});
    }
  }
  std::ranges::stable_sort(plan, {}, &Planned::at);
  return plan;
}

base::StatusOr<std::vector<Step>> ParseRamp(std::string_view text) {
  std::vector<Step> steps;
  for (std::string_view rest = text; !rest.empty() || steps.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view part = rest.substr(0, comma);
    rest = rest.substr(std::min(comma + 1, rest.size()));
    const std::size_t colon = std::min(part.find(':'), part.size());
    Step step;
    const auto [end, error] = std::from_chars(part.data(), part.data() + colon, step.rate_per_s);
    const auto duration = base::ParseDuration(part.substr(std::min(colon + 1, part.size())),
                                              base::BareNumber::kRefused);
    if (error != std::errc() || end != part.data() + colon || !(step.rate_per_s >= 0) ||
        !std::isfinite(step.rate_per_s) || !duration.ok()) {
      return base::BadInput("step ", steps.size() + 1, " \"", part,
                            "\" of the ramp is not RATE:TIME, such as 1000:5s");
    }
    step.seconds = static_cast<double>(*duration) / base::kSecondNs;
    steps.push_back(step);
    if (steps.size() > kMaxSteps)
      return base::BadInput("a ramp of more than ", kMaxSteps, " steps");
  }
  return steps;
}

}  // namespace hone::load
