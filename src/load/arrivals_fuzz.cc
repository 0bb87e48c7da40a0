// Traces come from anywhere: any bytes must parse or be refused, and what parses must ascend from 0 and
// make arrivals within the duration. The first line is also read as the name of a process.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "load/arrivals.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using hone::load::Arrival;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto by_moment = [](const Arrival& a, const Arrival& b) { return a.at < b.at; };
  const auto spec = hone::load::ParseArrivals(text.substr(0, text.find('\n')));
  if (spec.ok()) {
    const auto arrivals = MakeArrivals(*spec, 100, hone::base::kSecondNs, size);
    HONE_CHECK(std::is_sorted(arrivals.begin(), arrivals.end(), by_moment));
  }
  const auto trace = hone::load::ParseTrace(text, "fuzz.csv");
  if (!trace.ok()) {
    HONE_CHECK(trace.status().message().find("fuzz.csv") != std::string_view::npos);
    return 0;
  }
  HONE_CHECK(!trace->empty() && trace->front().at == 0);
  HONE_CHECK(std::is_sorted(trace->begin(), trace->end(), by_moment));
  for (const double rate : {0.0, 50.0}) {
    const auto arrivals = MakeArrivals({.process = hone::load::Process::kTrace}, rate,
                                       hone::base::kSecondNs, 1, *trace);
    HONE_CHECK(std::is_sorted(arrivals.begin(), arrivals.end(), by_moment));
    HONE_CHECK(arrivals.empty() ||
               (arrivals.front().at >= 0 && arrivals.back().at < hone::base::kSecondNs));
  }
  return 0;
}
