// When requests arrive: seeded processes, or a recorded trace.
//
//   poisson     exponential gaps of mean 1/rate
//   gamma:CV    gaps of a Gamma distribution of mean 1/rate and coefficient of variation CV (bursts: 4)
//   uniform     one every 1/rate
//   trace:FILE  the file's own moments from its first line; --rate scales them to that mean rate where given
//
// A trace is CSV: a header line, then lines that begin with a moment ("2023-11-16 18:17:03.9799600", or
// seconds). A column named ContextTokens, where there is one, gives each request's tokens.
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
  double cv = 1;      // kGamma
  std::string trace;  // kTrace: its path
};

struct Arrival {
  base::TimeNs at = 0;  // from the beginning
  int tokens = 0;       // 0: as the texts are
};

// "poisson", "gamma:4", "uniform", "trace:FILE"; an error names what is wrong.
base::StatusOr<ArrivalSpec> ParseArrivals(std::string_view text);

// Ascending, within [0, duration). `trace` is ParseTrace's result where the process is kTrace. The same
// seed gives the same moments on every machine.
std::vector<Arrival> MakeArrivals(const ArrivalSpec& spec, double rate_per_s, base::TimeNs duration,
                                  std::uint64_t seed, const std::vector<Arrival>& trace = {});

// `path` names the text in errors, with the line.
base::StatusOr<std::vector<Arrival>> ParseTrace(std::string_view csv, const std::string& path);

}  // namespace hone::load
