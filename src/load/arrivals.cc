#include "load/arrivals.h"

#include <charconv>
#include <cmath>

#include "load/random.h"

namespace hone::load {
namespace {

constexpr double kMinCv = 0.01, kMaxCv = 20;

// Gaps drawn one after the other; their sum is rounded to nanoseconds only when an arrival is written.
template <typename Gap>
std::vector<Arrival> Renewal(double rate_per_s, base::TimeNs duration, const Gap& gap) {
  std::vector<Arrival> arrivals;
  if (!(rate_per_s > 0)) return arrivals;
  const double gap_ns = static_cast<double>(base::kSecondNs) / rate_per_s;
  const double end_ns = static_cast<double>(duration);
  for (double at_ns = gap() * gap_ns; at_ns < end_ns; at_ns += gap() * gap_ns) {
    arrivals.push_back({.at = static_cast<base::TimeNs>(at_ns)});
  }
  return arrivals;
}

std::vector<Arrival> Uniform(double rate_per_s, base::TimeNs duration) {
  std::vector<Arrival> arrivals;
  if (!(rate_per_s > 0)) return arrivals;
  for (std::int64_t i = 0;; ++i) {
    // From the count, not by adding gaps: a third of a second stays a third after a million.
    const double at_ns = static_cast<double>(i) * static_cast<double>(base::kSecondNs) / rate_per_s;
    if (at_ns >= static_cast<double>(duration)) return arrivals;
    arrivals.push_back({.at = static_cast<base::TimeNs>(at_ns)});
  }
}

std::vector<Arrival> FromTrace(const std::vector<Arrival>& trace, double rate_per_s,
                               base::TimeNs duration) {
  std::vector<Arrival> arrivals;
  if (trace.empty()) return arrivals;
  if (!(rate_per_s > 0)) {
    for (const Arrival& arrival : trace) {
      if (arrival.at >= duration) break;
      arrivals.push_back(arrival);
    }
    return arrivals;
  }
  // A round lasts as long as `count` gaps of the wanted mean. The trace has one gap less; the one that
  // joins its end to its beginning is taken to be of the mean too.
  const double count = static_cast<double>(trace.size());
  const double span_ns = static_cast<double>(trace.back().at);
  const double round_ns = count * static_cast<double>(base::kSecondNs) / rate_per_s;
  const double scale = span_ns > 0 ? round_ns * (count - 1) / count / span_ns : 0;
  for (std::int64_t round = 0;; ++round) {
    for (const Arrival& arrival : trace) {
      const double at_ns =
          static_cast<double>(round) * round_ns + static_cast<double>(arrival.at) * scale;
      if (at_ns >= static_cast<double>(duration)) return arrivals;
      arrivals.push_back({.at = static_cast<base::TimeNs>(at_ns), .tokens = arrival.tokens});
    }
  }
}

}  // namespace

base::StatusOr<ArrivalSpec> ParseArrivals(std::string_view text) {
  if (text == "poisson") return ArrivalSpec{.process = Process::kPoisson};
  if (text == "uniform") return ArrivalSpec{.process = Process::kUniform};
  if (text.starts_with("gamma:")) {
    const std::string_view number = text.substr(6);
    ArrivalSpec spec{.process = Process::kGamma};
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), spec.cv);
    const bool whole = error == std::errc() && end == number.data() + number.size();
    if (!whole || !(spec.cv >= kMinCv && spec.cv <= kMaxCv)) {
      return base::BadInput("arrivals \"", text,
                            "\": after gamma: stands the coefficient of variation, ", kMinCv,
                            " to ", kMaxCv, " (bursts: gamma:4)");
    }
    return spec;
  }
  if (text.starts_with("trace:")) {
    if (text.size() == 6)
      return base::BadInput("arrivals \"", text, "\": after trace: stands a file");
    return ArrivalSpec{.process = Process::kTrace, .trace = std::string(text.substr(6))};
  }
  return base::BadInput("arrivals \"", text,
                        "\": expected poisson, uniform, gamma:CV or trace:FILE");
}

std::vector<Arrival> MakeArrivals(const ArrivalSpec& spec, double rate_per_s, base::TimeNs duration,
                                  std::uint64_t seed, const std::vector<Arrival>& trace) {
  Random random(seed);
  switch (spec.process) {
    case Process::kPoisson:
      return Renewal(rate_per_s, duration, [&] { return random.Exponential(); });
    case Process::kGamma: {
      // Mean shape · scale = 1 and variance shape · scale² = CV².
      const double shape = 1 / (spec.cv * spec.cv);
      return Renewal(rate_per_s, duration, [&] { return random.Gamma(shape) / shape; });
    }
    case Process::kUniform: return Uniform(rate_per_s, duration);
    case Process::kTrace: return FromTrace(trace, rate_per_s, duration);
  }
  return {};
}

}  // namespace hone::load
