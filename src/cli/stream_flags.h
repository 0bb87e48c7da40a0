// Flags that describe streams of requests, the same for hone load and hone simulate: repeated flags belong
// together in their order, and a single value holds for every stream.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "load/load.h"

namespace hone::cli {

using FlagValues = std::vector<std::string>;

// The value for stream `i`.
std::string ValueOf(const FlagValues& values, std::size_t i, const char* fallback);

// Wrong usage where a flag is given neither once nor as often as `by`, which is given `streams` times.
base::Status CheckCounts(const std::vector<std::pair<const char*, const FlagValues*>>& flags,
                         const char* by, std::size_t streams);

// "low", "normal" or "high"; else wrong usage.
base::Status CheckPriority(const std::string& priority);

struct StreamArrivals {
  load::ArrivalSpec spec;
  std::vector<load::Arrival> trace;  // read from the file that spec names
  double rate_per_s = 10;            // of a trace: 0 as recorded
};
// `arrivals` as load::ParseArrivals takes it; `rate` may be empty.
base::StatusOr<StreamArrivals> ReadArrivals(const std::string& arrivals, const std::string& rate);

// Seconds, at most a year; wrong usage names the flag.
base::StatusOr<double> ReadSpan(const char* flag, const std::string& text);

}  // namespace hone::cli
