// When requests arrive: seeded processes, or a recorded trace.
//
//   poisson     exponential gaps of mean 1/rate
//   gamma:CV    gaps of a Gamma distribution of mean 1/rate and coefficient of variation CV (bursts: 4)
//   uniform     one every 1/rate
//   trace:FILE  the file's own moments from its first line, once; where a rate is given, scaled to that
//               mean rate, and from the beginning again when the file ends
//
// A trace is CSV: a header line, then lines that begin with a moment ("2023-11-16 18:17:03.9799600", or
// seconds), none before the one above it. A column named ContextTokens, where there is one, gives each
// request's tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time_ns.h"

namespace hone::load {

enum class Process : std::uint8_t { kPoisson, kGamma, kUniform, kTrace };

struct ArrivalSpec {
  Process process = Process::kPoisson;
  double cv = 1;           // kGamma; 0.01 … 20
  std::string trace = {};  // kTrace: its path
};

struct Arrival {
  base::TimeNs at = 0;  // from the beginning
  int tokens = 0;       // 0: as the texts are
};

// "poisson", "gamma:4", "uniform", "trace:FILE"; an error names what is wrong.
base::StatusOr<ArrivalSpec> ParseArrivals(std::string_view text);

// Ascending, within [0, duration). `trace` is ParseTrace's result where the process is kTrace. The same
// seed gives the same moments on every machine. A rate of 0 gives none, and a trace as it was recorded.
// Memory  16 bytes an arrival: the caller bounds rate · duration.
std::vector<Arrival> MakeArrivals(const ArrivalSpec& spec, double rate_per_s, base::TimeNs duration,
                                  std::uint64_t seed, const std::vector<Arrival>& trace = {});

// `path` names the text in errors, with the line. At least one arrival; the first is at 0.
base::StatusOr<std::vector<Arrival>> ParseTrace(std::string_view csv, const std::string& path);

}  // namespace hone::load
